import type { Identifier } from './identifier.ts';

/** Every problem type and the HTTP status it goes with (RFC 8555 §6.7; `alreadyReplaced`: RFC 9773 §7.4; `invalidProfile`: draft-ietf-acme-profiles). */
export const ACME_PROBLEMS = {
  accountDoesNotExist: 400,
  alreadyReplaced: 409,
  alreadyRevoked: 400,
  badCSR: 400,
  badNonce: 400,
  badPublicKey: 400,
  badRevocationReason: 400,
  badSignatureAlgorithm: 400,
  caa: 403,
  compound: 400,
  connection: 400,
  dns: 400,
  externalAccountRequired: 403,
  incorrectResponse: 403,
  invalidContact: 400,
  invalidProfile: 400,
  malformed: 400,
  orderNotReady: 403,
  rateLimited: 429,
  rejectedIdentifier: 400,
  serverInternal: 500,
  tls: 400,
  unauthorized: 403,
  unsupportedContact: 400,
  unsupportedIdentifier: 400,
  userActionRequired: 403,
} as const;

export type AcmeProblemType = keyof typeof ACME_PROBLEMS;

/** RFC 9457 with the members of RFC 8555 §6.7. */
export interface ProblemDocument {
  readonly type: string;
  readonly detail?: string;
  readonly status?: number;
  readonly title?: string;
  readonly instance?: string;
  readonly identifier?: Identifier;
  readonly subproblems?: readonly ProblemDocument[];
  /** With badSignatureAlgorithm (RFC 8555 §6.2). */
  readonly algorithms?: readonly string[];
}

const URN_PREFIX = 'urn:ietf:params:acme:error:';

export const problemUrn = (type: AcmeProblemType): string => URN_PREFIX + type;

/** The type behind a URN, if it is one of RFC 8555's. */
export function problemTypeOf(urn: string): AcmeProblemType | undefined {
  const type = urn.startsWith(URN_PREFIX) ? urn.slice(URN_PREFIX.length) : '';
  return Object.hasOwn(ACME_PROBLEMS, type) ? (type as AcmeProblemType) : undefined;
}
