import { compiled } from './compiled.ts';
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

const put = compiled<unknown, [issuerId: string, limitId: string, key: string, fullAt: number, again: number]>((db) =>
  db
    .insertInto('quota_bucket')
    .values({ issuer_id: '', limit_id: '', key: '', full_at: 0 })
    .onConflict((conflict) => conflict.columns(['issuer_id', 'limit_id', 'key']).doUpdateSet({ full_at: 0 })),
);

export async function putQuotaBucket(tx: Db, row: QuotaBucketRow): Promise<void> {
  await put(tx, [row.issuer_id, row.limit_id, row.key, row.full_at, row.full_at]);
}

export async function deleteIdleBuckets(tx: Db, now: number): Promise<void> {
  await tx.deleteFrom('quota_bucket').where('full_at', '<=', now).execute();
}
