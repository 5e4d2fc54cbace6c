import { type AcmeProblemType, problemTypeOf } from '../acme/index.ts';
import type { Fault, FaultDetails } from '../base/index.ts';
import type { CertificateProblem, FailureClass } from '../store/certificates.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** How long each class of failure waits: doubling from `first`, never more than `most`. */
export const BACKOFF: Record<FailureClass, { readonly first: number; readonly most: number }> = {
  ours: { first: MINUTE, most: 6 * HOUR },
  // Let's Encrypt allows five failed authorizations of a name an hour; the third attempt waits ten minutes already.
  dns: { first: 2 * MINUTE, most: 6 * HOUR },
  reachability: { first: 2 * MINUTE, most: 6 * HOUR },
  refused: { first: 30 * MINUTE, most: 24 * HOUR },
  'ca-down': { first: 30_000, most: HOUR },
  'rate-limit': { first: 30 * MINUTE, most: 24 * HOUR },
  policy: { first: 10 * MINUTE, most: 24 * HOUR },
};

const BY_PROBLEM: Record<AcmeProblemType, FailureClass> = {
  accountDoesNotExist: 'ours',
  alreadyReplaced: 'ours',
  alreadyRevoked: 'ours',
  badCSR: 'refused',
  badNonce: 'ca-down',
  badPublicKey: 'refused',
  badRevocationReason: 'refused',
  badSignatureAlgorithm: 'refused',
  caa: 'policy',
  compound: 'refused',
  connection: 'reachability',
  dns: 'dns',
  externalAccountRequired: 'policy',
  incorrectResponse: 'reachability',
  invalidContact: 'policy',
  invalidProfile: 'policy',
  malformed: 'refused',
  orderNotReady: 'ca-down',
  rateLimited: 'rate-limit',
  rejectedIdentifier: 'refused',
  serverInternal: 'ca-down',
  tls: 'reachability',
  unauthorized: 'reachability',
  unsupportedContact: 'policy',
  unsupportedIdentifier: 'refused',
  userActionRequired: 'policy',
};

const BY_CODE: Record<string, FailureClass> = {
  ca_unreachable: 'ca-down',
  ca_too_slow: 'ca-down',
  ca_answer_unexpected: 'ca-down',
  ca_answer_too_large: 'ca-down',
  not_acme: 'policy',
  eab_required: 'policy',
  account_unusable: 'policy',
  no_challenge_possible: 'policy',
  issuer_unknown: 'policy',
  authorization_failed: 'reachability',
  order_invalid: 'refused',
  quota: 'rate-limit',
  preflight: 'dns',
};

export function classOf(fault: Fault): FailureClass {
  const type = problemTypeOf(fault.code);
  if (type !== undefined) return BY_PROBLEM[type];
  const known = BY_CODE[fault.code];
  if (known !== undefined) return known;
  if (/^ca_answered_(429|503)$/.test(fault.code)) return 'rate-limit';
  if (/^ca_answered_5/.test(fault.code)) return 'ca-down';
  const { party } = fault.details;
  if (party === 'dns' || party === 'dns-provider') return 'dns';
  if (party === 'network') return 'reachability';
  return party === 'ca' ? 'refused' : party === 'operator' ? 'policy' : 'ours';
}

/** Failures of the issuer, for which another issuer may do better. The others would fail there as well. */
export const isIssuersOwn = (failure: FailureClass): boolean =>
  failure === 'ca-down' || failure === 'rate-limit' || failure === 'refused' || failure === 'policy';

/** Whether everything that this issuer is asked would fail the same way now, so that nobody else asks it either. */
export function holdsIssuer(fault: Fault, failure: FailureClass): boolean {
  if (failure === 'ca-down') return true;
  // Limits of an account or a whole CA, as Let's Encrypt words them; the others count by name or domain.
  return failure === 'rate-limit' && /new orders|registrations|accounts|overloaded|service busy/i.test(fault.message);
}

/**
 * When to try again: by class, doubling with each attempt, give or take an eighth so that what failed together does not
 * come back together; never before the party's own Retry-After, and never later than an eighth of what is left of the
 * certificate that is served.
 */
export function retryTime(options: {
  readonly failure: FailureClass;
  /** Attempts that failed in a row, this one counted. */
  readonly attempts: number;
  readonly notBefore?: number;
  /** End of the certificate that is served, if there is one. */
  readonly servedUntil?: number;
  readonly now: number;
  /** In [0, 1). */
  readonly random: number;
}): number {
  const { failure, attempts, notBefore, servedUntil, now, random } = options;
  const { first, most } = BACKOFF[failure];
  const left = servedUntil === undefined ? Number.POSITIVE_INFINITY : servedUntil - now;
  // Once a certificate has lapsed every hour counts; before that, an eighth of what is left.
  const urgent = left === Number.POSITIVE_INFINITY ? most : left <= 0 ? HOUR : Math.max(5 * MINUTE, left / 8);
  const wait = Math.min(first * 2 ** Math.min(attempts - 1, 20), most, urgent) * (0.875 + random / 4);
  return Math.round(Math.max(now + wait, notBefore ?? 0));
}

/**
 * Within what time those that an issuer kept waiting come back, so that the backlog of an outage does not arrive in one
 * hour: within three times as long as the issuer has been away, and a tenth of what is left at most, so that nine tenths
 * are left for what may fail next, also where the window that the CA named went by meanwhile. Where somebody waits, or the
 * CA wants it back early because it is about to revoke, half an hour at most.
 */
export function comeBackWithin(options: {
  readonly now: number;
  /** End of the certificate that is served, if there is one. */
  readonly servedUntil?: number;
  /** Since when the issuer has been away. */
  readonly awaySince?: number;
  readonly hurried: boolean;
}): number {
  const { now, servedUntil, awaySince = Number.NEGATIVE_INFINITY, hurried } = options;
  const left = servedUntil === undefined ? HOUR / 4 : Math.max(0, servedUntil - now);
  const away = Math.max(HOUR / 2, 3 * (now - awaySince));
  return Math.min(hurried ? HOUR / 2 : 96 * HOUR, away, Math.max(MINUTE, left / 10));
}

const MOST_SUBPROBLEMS = 20;

export function problemOf(
  fault: Fault,
  at: number,
  retryAt: number,
  failure: FailureClass,
  issuerId?: string,
): CertificateProblem {
  const { code, detail, party, advice, problems } = fault.details;
  const name = ({ field }: FaultDetails) => field?.replace(/^(dns|ip):/, '');
  return {
    class: failure,
    code,
    detail,
    party,
    at,
    retryAt,
    ...(typeof fault.details.retry === 'object' && { notBefore: fault.details.retry.notBefore }),
    ...(advice !== undefined && { advice }),
    ...(issuerId !== undefined && { issuerId }),
    ...(problems !== undefined && {
      subproblems: problems.slice(0, MOST_SUBPROBLEMS).map((sub) => ({
        code: sub.code,
        detail: sub.detail,
        ...(name(sub) !== undefined && { name: name(sub) }),
      })),
    }),
  };
}
