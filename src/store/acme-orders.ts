import { sql } from 'kysely';
import { anyRow, compiled, valuesOf } from './compiled.ts';
import type { Db } from './store.ts';

/** What is recorded of an order; what it is now follows from this, its authorizations and the clock. */
export type OrderState = 'open' | 'processing' | 'valid' | 'invalid';

export interface AcmeOrderRow {
  readonly id: string;
  readonly profile_id: string;
  readonly account_id: string;
  readonly state: OrderState;
  /** JSON: identifiers as the order asked for them. */
  readonly identifiers: string;
  /** JSON: authorization ids, one an identifier; null when the profile trusted the account. */
  readonly authorizations: string | null;
  readonly not_before: number | null;
  readonly not_after: number | null;
  readonly created_at: number;
  readonly expires_at: number;
  /** JSON: problem document. */
  readonly error: string | null;
  readonly certificate_serial: string | null;
  /** The request of a finalized order that waits for an upstream CA. */
  readonly csr: Uint8Array | null;
  readonly replaces: string | null;
  readonly sub_profile: string | null;
}

export interface AcmeOrderTables {
  acme_order: AcmeOrderRow;
}

const COLUMNS = [
  'id',
  'profile_id',
  'account_id',
  'state',
  'identifiers',
  'authorizations',
  'not_before',
  'not_after',
  'created_at',
  'expires_at',
  'error',
  'certificate_serial',
  'csr',
  'replaces',
  'sub_profile',
] as const satisfies readonly (keyof AcmeOrderRow)[];
const insert = compiled((db) => db.insertInto('acme_order').values(anyRow<AcmeOrderRow>(COLUMNS)));
const byId = compiled<AcmeOrderRow, [id: string]>((db) => db.selectFrom('acme_order').selectAll().where('id', '=', ''));
const countOpen = compiled<
  { id: string },
  [accountId: string, open: string, processing: string, now: number, limit: number]
>((db) =>
  db
    .selectFrom('acme_order')
    .select('id')
    .where('account_id', '=', '')
    .where('state', 'in', ['open', 'processing'])
    .where('expires_at', '>', 0)
    .limit(0),
);
const complete = compiled<unknown, [state: string, serial: string, id: string, from: string]>((db) =>
  db
    .updateTable('acme_order')
    .set({ state: 'valid', certificate_serial: '' })
    .where('id', '=', '')
    .where('state', '=', 'open'),
);

export async function insertOrder(tx: Db, row: AcmeOrderRow): Promise<void> {
  await insert(tx, valuesOf(COLUMNS, row));
}

export const findOrder = async (db: Db, id: string): Promise<AcmeOrderRow | undefined> =>
  (await byId(db, [id])).rows[0];

/** Moves an order on from `from`; false when it is somewhere else already. */
export async function moveOrder(
  tx: Db,
  id: string,
  from: OrderState,
  values: Partial<Pick<AcmeOrderRow, 'state' | 'error' | 'certificate_serial' | 'csr'>>,
): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('acme_order')
    .set(values)
    .where('id', '=', id)
    .where('state', '=', from)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** Newest last, ids only. */
export async function listOrderIds(
  db: Db,
  accountId: string,
  page: { after?: string; limit: number },
): Promise<string[]> {
  let query = db
    .selectFrom('acme_order')
    .select('id')
    .where('account_id', '=', accountId)
    .where('state', '!=', 'invalid')
    .orderBy('id')
    .limit(page.limit);
  if (page.after !== undefined) query = query.where('id', '>', page.after);
  return (await query.execute()).map(({ id }) => id);
}

/** Every order of an account, newest first, those before the id `before`. */
export async function listOrdersOfAccount(
  db: Db,
  accountId: string,
  page: { before?: string; limit: number },
): Promise<AcmeOrderRow[]> {
  let query = db
    .selectFrom('acme_order')
    .selectAll()
    .where('account_id', '=', accountId)
    .orderBy('id', 'desc')
    .limit(page.limit);
  if (page.before !== undefined) query = query.where('id', '<', page.before);
  return query.execute();
}

/** Orders that may still become something, up to `limit`. */
export async function countOpenOrders(db: Db, accountId: string, now: number, limit: number): Promise<number> {
  return (await countOpen(db, [accountId, 'open', 'processing', now, limit])).rows.length;
}

/** Records the certificate of an order that is in `from`; false when it is somewhere else already. */
export async function completeOrder(tx: Db, id: string, from: OrderState, serial: string): Promise<boolean> {
  const { numAffectedRows = 0n } = await complete(tx, ['valid', serial, id, from]);
  return numAffectedRows > 0n;
}

/** Orders of everybody that may still become something. */
export async function countAllOpenOrders(db: Db, now: number): Promise<number> {
  const { n } = await db
    .selectFrom('acme_order')
    .select((e) => e.fn.countAll<number>().as('n'))
    .where('state', 'in', ['open', 'processing'])
    // The plus keeps SQLite from the index by end, which has no state and would read every row of a week.
    .where(sql`+expires_at`, '>', now)
    .executeTakeFirstOrThrow();
  return Number(n);
}
