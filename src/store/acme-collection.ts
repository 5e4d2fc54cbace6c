import type { Db } from './store.ts';

/** What is over, table by table: the column that says since when, and the key by which rows are taken. */
const OVER = {
  acme_order: { key: 'id', since: 'expires_at' },
  acme_authorization: { key: 'id', since: 'expires_at' },
  acme_limit: { key: 'key', since: 'spent_until' },
  acme_upstream_chain: { key: 'serial', since: 'not_after' },
  ca_certificate: { key: 'serial', since: 'not_after' },
} as const;
export type CollectedTable = keyof typeof OVER;
export const COLLECTED_TABLES = Object.keys(OVER) as CollectedTable[];

/** Deletes at most `limit` rows that were over before `before`; answers how many. */
export async function collect(tx: Db, table: CollectedTable, before: number, limit: number): Promise<number> {
  const { key, since } = OVER[table];
  const { ref } = tx.dynamic;
  const victims = tx.selectFrom(table).select(ref<string>(key)).where(ref(since), '<', before).limit(limit);
  const { numDeletedRows } = await tx.deleteFrom(table).where(ref(key), 'in', victims).executeTakeFirst();
  return Number(numDeletedRows);
}
