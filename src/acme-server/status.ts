import type { AuthorizationStatus, ChallengeType, OrderStatus, ProblemDocument } from '../acme/index.ts';
import type { AcmeAuthorizationRow } from '../store/acme-authorizations.ts';
import type { AcmeOrderRow } from '../store/acme-orders.ts';

/** A challenge as an authorization's row keeps it. */
export interface StoredChallenge {
  readonly type: ChallengeType;
  /** Absent in dns-persist-01. */
  readonly token?: string;
  readonly status: 'pending' | 'processing' | 'valid' | 'invalid';
  /** Milliseconds since the epoch. */
  readonly validated?: number;
  readonly error?: ProblemDocument;
}

type AuthorizationFacts = Pick<AcmeAuthorizationRow, 'state' | 'expires_at'>;
type OrderFacts = Pick<AcmeOrderRow, 'state' | 'expires_at'>;

/** RFC 8555 §7.1.6: an authorization is what happened to it, until its time is over. */
export function authorizationStatus({ state, expires_at }: AuthorizationFacts, now: number): AuthorizationStatus {
  if (now < expires_at) return state;
  // A pending one whose time is over can never become valid; a valid one has expired.
  return state === 'pending' ? 'invalid' : state === 'valid' ? 'expired' : state;
}

/** RFC 8555 §7.1.6: an open order follows its authorizations and the clock; a closed one stays what it is. */
export function orderStatus(
  { state, expires_at }: OrderFacts,
  authorizations: readonly (AuthorizationFacts | undefined)[],
  now: number,
): OrderStatus {
  if (state !== 'open') return state;
  if (now >= expires_at) return 'invalid';
  // One that was collected was over long before: it must not count as one that nobody asked for.
  if (authorizations.some((authorization) => authorization === undefined)) return 'invalid';
  const statuses = authorizations.map((authorization) => authorizationStatus(authorization!, now));
  if (statuses.some((status) => status !== 'valid' && status !== 'pending')) return 'invalid';
  return statuses.includes('pending') ? 'pending' : 'ready';
}
