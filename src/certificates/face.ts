import type { FaultDetails } from '../base/index.ts';
import type { CertificateEventKind } from '../store/certificate-events.ts';
import type {
  CertificateFilter,
  CertificateKind,
  CertificateStatus,
  ChallengeChoice,
  FailureClass,
} from '../store/certificates.ts';
import type { Db } from '../store/index.ts';
import type { KeyType } from '../x509/index.ts';

export interface CertificateWish {
  /** Exact names, wildcards or addresses. */
  readonly names: readonly string[];
  /** Issuer ids in order of preference; the engine's default when absent. */
  readonly issuers?: readonly string[];
  readonly keyType?: KeyType;
  readonly challenge?: ChallengeChoice;
  readonly dnsCredentialId?: string;
  /** ACME profile to ask the issuer for (draft-ietf-acme-profiles). */
  readonly profile?: string;
  /** Keep the key at renewals; a new one each time when absent. */
  readonly reuseKey?: boolean;
  /** Who needs it: `domain:<id>`, `exposure:<id>`, `file:<name>`, `person:<token>`. A certificate lives while one is left. */
  readonly reference: string;
}

/** One issued chain. Times are ms since the epoch. */
export interface CertificateVersionView {
  readonly id: string;
  readonly issuer: string;
  /** From a directory that is for trying only; browsers do not trust it, and it never counts for production. */
  readonly staging: boolean;
  readonly issuerName: string;
  readonly serial: string;
  /** Hex SHA-256 of the leaf's DER. */
  readonly fingerprint: string;
  readonly notBefore: number;
  readonly notAfter: number;
  readonly issuedAt: number;
  readonly revokedAt?: number;
  readonly revocationReason?: string;
}

/** A certificate with everything that a person asks about it. */
export interface CertificateView {
  readonly id: string;
  readonly kind: CertificateKind;
  readonly names: readonly string[];
  readonly status: CertificateStatus;
  readonly issuers: readonly string[];
  readonly challenge: ChallengeChoice;
  readonly keyType: KeyType;
  readonly dnsCredentialId?: string;
  readonly profile?: string;
  readonly references: readonly string[];
  readonly served?: CertificateVersionView;
  /** When its renewal is due, and why then. */
  readonly renewAt?: number;
  readonly renewReason?: string;
  /** When the engine looks at it next. */
  readonly nextAttemptAt?: number;
  /** Attempts since the last one that went well. */
  readonly attempts: number;
  readonly lastProblem?: FaultDetails & { readonly at: number; readonly class: FailureClass };
  /** Where it stands and what comes next, in one or two sentences. */
  readonly summary: string;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** One step of a certificate's history. */
export interface CertificateEventView {
  readonly seq: number;
  readonly at: number;
  readonly step: CertificateEventKind;
  /** In words. */
  readonly detail: string;
  readonly problem?: FaultDetails;
}

/** RFC 5280 §5.3.1, those that an owner may give (RFC 8555 §7.6), in words. */
export const REVOCATION_REASONS = {
  unspecified: 0,
  'key-compromise': 1,
  'affiliation-changed': 3,
  superseded: 4,
  'cessation-of-operation': 5,
  'privilege-withdrawn': 9,
} as const;
export type RevocationReason = keyof typeof REVOCATION_REASONS;

/** The life of certificates, as the rest of the product sees it. */
export interface Certificates {
  /** Idempotent: the same names, issuers, key type and profile are one certificate. Answers its id; wakes the engine. */
  ensure(wish: CertificateWish): Promise<string>;
  /** The same inside a write of the caller's; call `wake` after its commit. */
  ensureWithin(tx: Db, wish: CertificateWish): Promise<string>;
  /**
   * Somebody else needs this very certificate as well; how its names are shown may change with it. False when it is not
   * there.
   */
  refer(id: string, wish: Pick<CertificateWish, 'reference' | 'challenge' | 'dnsCredentialId'>): Promise<boolean>;
  /** The reference no longer needs that certificate, or any. */
  release(reference: string, id?: string): Promise<void>;
  releaseWithin(tx: Db, reference: string, id?: string): Promise<void>;
  /** Looks for work now, instead of at the next due time. */
  wake(): void;
  get(id: string): Promise<CertificateView | undefined>;
  getMany(ids: readonly string[]): Promise<CertificateView[]>;
  /** In order of id, those after `after`. */
  list(filter: CertificateFilter, page: { after?: string; limit: number }): Promise<CertificateView[]>;
  counts(): Promise<Record<CertificateStatus, number>>;
  versions(id: string): Promise<CertificateVersionView[]>;
  /** Oldest first, those after `after`. */
  events(id: string, after: number, limit: number): Promise<CertificateEventView[]>;
  /** PEM of the served version, leaf first. */
  chain(id: string): Promise<string | undefined>;
  /** Tries now: renews a good one, retries one that waits. Throws a `Fault` of code `not_found`. */
  renew(id: string): Promise<void>;
  /** Withdraws the served version at once and tells its CA; `replace` gets a new one first where one can be had. */
  revoke(id: string, reason: RevocationReason, replace: boolean): Promise<void>;
  /** A certificate of the operator's own. Throws a `Fault` that names the field when chain and key do not fit. */
  upload(chain: string, key: string, reference: string): Promise<string>;
}
