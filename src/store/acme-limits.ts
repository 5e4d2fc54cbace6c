import { sql } from 'kysely';
import { compiled } from './compiled.ts';
import type { Db } from './store.ts';

export interface AcmeLimitTables {
  /** `spent_until`: the time at which what was spent so far is fully given back. */
  acme_limit: { key: string; spent_until: number };
}

export interface Rate {
  /** Times allowed at once, and within each period in the long run. */
  readonly count: number;
  /** Milliseconds. */
  readonly period: number;
}

const spendOne = compiled<
  unknown,
  [key: string, first: number, now: number, again: number, cost: number, most: number]
>((db) =>
  db
    .insertInto('acme_limit')
    .values({ key: '', spent_until: 0 })
    .onConflict((conflict) =>
      conflict
        .column('key')
        .doUpdateSet({
          spent_until: sql<number>`case when acme_limit.spent_until > cast(${0} as bigint) then acme_limit.spent_until else cast(${0} as bigint) end + cast(${0} as bigint)`,
        })
        .where('acme_limit.spent_until', '<=', 0),
    ),
);

/**
 * Spends one of `rate` under `key`; answers the time at which to come again when nothing is left, else undefined. The
 * generic cell rate algorithm: one number a key, shared by every replica, no counting of past events.
 */
export async function spend(tx: Db, key: string, rate: Rate, now: number): Promise<number | undefined> {
  const cost = Math.ceil(rate.period / rate.count);
  const most = now + rate.period - cost;
  const { numAffectedRows = 0n } = await spendOne(tx, [key, now + cost, now, now, cost, most]);
  if (numAffectedRows > 0n) return undefined;
  return (await spentUntil(tx, key)) - rate.period + cost;
}

/** When a next one would be allowed, without spending: undefined means now. */
export async function peek(db: Db, key: string, rate: Rate, now: number): Promise<number | undefined> {
  const free = (await spentUntil(db, key)) - rate.period + Math.ceil(rate.period / rate.count);
  return free > now ? free : undefined;
}

const byKey = compiled<{ spent_until: number }, [key: string]>((db) =>
  db.selectFrom('acme_limit').select('spent_until').where('key', '=', ''),
);

const spentUntil = async (db: Db, key: string): Promise<number> => (await byKey(db, [key])).rows[0]?.spent_until ?? 0;
