import type { ProblemDocument } from './problem.ts';

/** RFC 8555 §8, RFC 8737, draft-ietf-acme-dns-account-label, draft-ietf-acme-dns-persist. */
export const CHALLENGE_TYPES = ['http-01', 'dns-01', 'tls-alpn-01', 'dns-account-01', 'dns-persist-01'] as const;
export type ChallengeType = (typeof CHALLENGE_TYPES)[number];

/** RFC 8555 §7.1.6. */
export type ChallengeStatus = 'pending' | 'processing' | 'valid' | 'invalid';

/** RFC 8555 §8; the type may be one that we do not know. */
export interface ChallengeObject {
  readonly type: ChallengeType | (string & {});
  readonly url: string;
  readonly status: ChallengeStatus;
  /** Absent in dns-persist-01. */
  readonly token?: string;
  readonly validated?: string;
  readonly error?: ProblemDocument;
  /** dns-persist-01: names by which the CA is written in the record. */
  readonly 'issuer-domain-names'?: readonly string[];
  readonly accounturi?: string;
}
