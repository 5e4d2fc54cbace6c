import type { OrderStatus, ProblemDocument } from '../acme/index.ts';
import { findAuthorizations } from '../store/acme-authorizations.ts';
import { listOrdersOfAccount } from '../store/acme-orders.ts';
import type { Db } from '../store/index.ts';
import { orderStatus } from './status.ts';

/** An order as a person looks at it; times in ms since the epoch. */
export interface OrderView {
  readonly id: string;
  readonly status: OrderStatus;
  readonly names: readonly string[];
  readonly problem?: string;
  readonly serial?: string;
  readonly createdAt: number;
  readonly expiresAt: number;
}

/** Newest first, with the status that each has now. */
export async function viewOrders(
  db: Db,
  accountId: string,
  page: { before?: string; limit: number },
  now: number,
): Promise<OrderView[]> {
  const rows = await listOrdersOfAccount(db, accountId, page);
  const idsOf = (row: (typeof rows)[number]) =>
    row.authorizations === null ? [] : (JSON.parse(row.authorizations) as string[]);
  const ids = [...new Set(rows.filter(({ state }) => state === 'open').flatMap(idsOf))];
  const known = new Map(
    ids.length === 0
      ? []
      : (await findAuthorizations(db, ids)).flatMap((one) => (one === undefined ? [] : [[one.id, one] as const])),
  );
  return rows.map((row) => ({
    id: row.id,
    status: orderStatus(
      row,
      idsOf(row).flatMap((id) => known.get(id) ?? []),
      now,
    ),
    names: (JSON.parse(row.identifiers) as { value: string }[]).map(({ value }) => value),
    ...(row.error !== null && { problem: (JSON.parse(row.error) as ProblemDocument).detail }),
    ...(row.certificate_serial !== null && { serial: row.certificate_serial }),
    createdAt: row.created_at,
    expiresAt: row.expires_at,
  }));
}
