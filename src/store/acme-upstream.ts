import type { Db } from './store.ts';

/** An order that an upstream CA works on. */
export interface AcmeUpstreamOrderRow {
  readonly order_id: string;
  readonly issuer_id: string;
  /** Of the order at the upstream CA, once there is one. */
  readonly url: string | null;
  readonly attempts: number;
  /** When somebody may take it up; whoever does moves this on first. */
  readonly next_at: number;
}

/** The chain of a certificate that another CA issued. */
export interface AcmeUpstreamChainRow {
  readonly serial: string;
  readonly issuer_id: string;
  /** PEM, leaf first. */
  readonly chain: string;
  readonly not_after: number;
}

export interface AcmeUpstreamTables {
  acme_upstream_order: AcmeUpstreamOrderRow;
  acme_upstream_chain: AcmeUpstreamChainRow;
}

export async function insertUpstreamOrder(tx: Db, row: AcmeUpstreamOrderRow): Promise<void> {
  await tx.insertInto('acme_upstream_order').values(row).execute();
}

/** Those that are due, the longest due first. */
export const dueUpstreamOrders = (db: Db, now: number, limit: number): Promise<AcmeUpstreamOrderRow[]> =>
  db
    .selectFrom('acme_upstream_order')
    .selectAll()
    .where('next_at', '<=', now)
    .orderBy('next_at')
    .limit(limit)
    .execute();

/** Takes up an order until `until`; false when another process was quicker. */
export async function claimUpstreamOrder(tx: Db, row: AcmeUpstreamOrderRow, until: number): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('acme_upstream_order')
    .set({ next_at: until })
    .where('order_id', '=', row.order_id)
    .where('next_at', '=', row.next_at)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

export async function updateUpstreamOrder(
  tx: Db,
  orderId: string,
  values: Partial<Pick<AcmeUpstreamOrderRow, 'url' | 'attempts' | 'next_at'>>,
): Promise<void> {
  await tx.updateTable('acme_upstream_order').set(values).where('order_id', '=', orderId).execute();
}

export async function deleteUpstreamOrder(tx: Db, orderId: string): Promise<void> {
  await tx.deleteFrom('acme_upstream_order').where('order_id', '=', orderId).execute();
}

/** What a process that was killed had taken up may be taken up at once: for a store that only one process uses. */
export async function releaseUpstreamOrders(tx: Db, now: number): Promise<void> {
  await tx.updateTable('acme_upstream_order').set({ next_at: now }).where('next_at', '>', now).execute();
}

export async function insertUpstreamChain(tx: Db, row: AcmeUpstreamChainRow): Promise<void> {
  await tx.insertInto('acme_upstream_chain').values(row).execute();
}

export const findUpstreamChain = (db: Db, serial: string): Promise<AcmeUpstreamChainRow | undefined> =>
  db.selectFrom('acme_upstream_chain').selectAll().where('serial', '=', serial).executeTakeFirst();

export async function countUpstreamOrders(db: Db): Promise<number> {
  const { n } = await db
    .selectFrom('acme_upstream_order')
    .select((e) => e.fn.countAll<number>().as('n'))
    .executeTakeFirstOrThrow();
  return Number(n);
}
