import type { Identifier, OrderObject, ProblemDocument } from '../acme/index.ts';
import { type AcmeAuthorizationRow, findAuthorizations } from '../store/acme-authorizations.ts';
import { type AcmeOrderRow, findOrder } from '../store/acme-orders.ts';
import type { Db } from '../store/index.ts';
import type { AccountCall } from './call.ts';
import { Refusal } from './refusal.ts';
import { orderStatus } from './status.ts';
import type { ProfileUrls } from './urls.ts';

/** An order with what its status follows from. */
export interface LoadedOrder {
  readonly row: AcmeOrderRow;
  readonly identifiers: readonly Identifier[];
  /** One an identifier, undefined where it was collected; empty when the profile trusted the account. */
  readonly authorizations: readonly (AcmeAuthorizationRow | undefined)[];
}

export async function loadOrder(db: Db, row: AcmeOrderRow): Promise<LoadedOrder> {
  const ids = row.authorizations === null ? [] : (JSON.parse(row.authorizations) as string[]);
  return {
    row,
    identifiers: JSON.parse(row.identifiers) as Identifier[],
    authorizations: await findAuthorizations(db, ids),
  };
}

/** The caller's own order. Another account's, and one that does not exist, are told apart by nobody. */
export async function requireOrder(call: AccountCall, id: string): Promise<LoadedOrder> {
  const row = await findOrder(call.services.store.db, id);
  if (row === undefined || row.account_id !== call.account.id || row.profile_id !== call.profile.id)
    throw new Refusal('malformed', 'this account has no such order', { status: 404 });
  return loadOrder(call.services.store.db, row);
}

/** The authorization that a trusting profile gives an order's identifier has the order's id and its place. */
export const trustedAuthorizationId = (orderId: string, index: number): string => `${orderId}.${index}`;

export function orderObject(order: LoadedOrder, urls: ProfileUrls, now: number): OrderObject {
  const { row, identifiers } = order;
  const rfc3339 = (ms: number) => new Date(ms).toISOString().replace('.000Z', 'Z');
  const ids =
    row.authorizations === null
      ? identifiers.map((_, index) => trustedAuthorizationId(row.id, index))
      : (JSON.parse(row.authorizations) as string[]);
  return {
    status: orderStatus(row, order.authorizations, now),
    expires: rfc3339(row.expires_at),
    identifiers,
    ...(row.not_before !== null && { notBefore: rfc3339(row.not_before) }),
    ...(row.not_after !== null && { notAfter: rfc3339(row.not_after) }),
    ...(row.error !== null && { error: JSON.parse(row.error) as ProblemDocument }),
    authorizations: ids.map((id) => urls.authorization(id)),
    finalize: urls.finalize(row.id),
    ...(row.certificate_serial !== null && { certificate: urls.certificate(row.certificate_serial) }),
    ...(row.replaces !== null && { replaces: row.replaces }),
    ...(row.sub_profile !== null && { profile: row.sub_profile }),
  };
}
