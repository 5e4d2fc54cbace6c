import type { Db } from './store.ts';

export interface QuotaTables {
  /** What is used of a CA's limit: the time at which it is all free again (generic cell rate algorithm). */
  quota_bucket: { issuer_id: string; limit_id: string; key: string; full_at: number };
}

export type QuotaBucketRow = QuotaTables['quota_bucket'];

export async function quotaBuckets(db: Db, issuerId: string, keys: readonly string[]): Promise<QuotaBucketRow[]> {
  if (keys.length === 0) return [];
  return db
    .selectFrom('quota_bucket')
    .selectAll()
    .where('issuer_id', '=', issuerId)
    .where('key', 'in', [...keys])
    .execute();
}

/** Those in use, fullest first. */
export async function quotaInUse(db: Db, now: number, limit: number): Promise<QuotaBucketRow[]> {
  return db
    .selectFrom('quota_bucket')
    .selectAll()
    .where('full_at', '>', now)
    .orderBy('full_at', 'desc')
    .limit(limit)
    .execute();
}

export async function putQuotaBucket(tx: Db, row: QuotaBucketRow): Promise<void> {
  await tx
    .insertInto('quota_bucket')
    .values(row)
    .onConflict((conflict) => conflict.columns(['issuer_id', 'limit_id', 'key']).doUpdateSet({ full_at: row.full_at }))
    .execute();
}

export async function deleteIdleBuckets(tx: Db, now: number): Promise<void> {
  await tx.deleteFrom('quota_bucket').where('full_at', '<=', now).execute();
}
