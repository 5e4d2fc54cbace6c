import { Fault } from '../base/index.ts';
import type { Db } from '../store/index.ts';
import type { IssuerRow } from '../store/issuers.ts';
import { deleteIdleBuckets, putQuotaBucket, quotaBuckets } from '../store/quota.ts';
import {
  giveBack,
  isExempt,
  LETS_ENCRYPT_LIMITS,
  type Limit,
  leftOf,
  limitKeys,
  type OrderNature,
  reserveLimit,
  useLimit,
} from './quota.ts';

/** What stands in the way of an order. */
export interface QuotaRefusal {
  readonly limit: Limit;
  readonly key: string;
  readonly waitUntil: number;
}

export interface QuotaForecast {
  readonly limit: string;
  /** What it is counted by: a registered domain, a set of names, `account`. */
  readonly scope: string;
  readonly used: number;
  readonly most: number;
  /** When all of it is free again. */
  readonly resetsAt: number;
}

export const limitsOf = ({ limits }: Pick<IssuerRow, 'limits'>): readonly Limit[] =>
  limits === null ? [] : (JSON.parse(limits) as Limit[]);

export const defaultLimits: string = JSON.stringify(LETS_ENCRYPT_LIMITS);

/** Every count that an order for these names touches. */
function touched(limits: readonly Limit[], names: readonly string[], nature: OrderNature) {
  return limits
    .filter((limit) => !isExempt(limit, nature))
    .flatMap((limit) => limitKeys(limit, names).map((key) => ({ limit, key })));
}

async function fullTimes(
  tx: Db,
  issuerId: string,
  keys: readonly string[],
): Promise<(limitId: string, key: string) => number> {
  const rows = await quotaBuckets(tx, issuerId, [...new Set(keys)]);
  const known = new Map(rows.map((row) => [`${row.limit_id} ${row.key}`, row.full_at]));
  return (limitId, key) => known.get(`${limitId} ${key}`) ?? 0;
}

/** Takes what an order will use, or nothing at all and says what stands in the way the longest. */
export async function reserveQuota(
  tx: Db,
  issuer: Pick<IssuerRow, 'id' | 'limits'>,
  names: readonly string[],
  nature: OrderNature,
  now: number,
): Promise<QuotaRefusal | undefined> {
  const counts = touched(limitsOf(issuer), names, nature);
  if (counts.length === 0) return undefined;
  const fullAt = await fullTimes(
    tx,
    issuer.id,
    counts.map(({ key }) => key),
  );
  const uses = counts.map(({ limit, key }) => ({ limit, key, use: reserveLimit(limit, fullAt(limit.id, key), now) }));
  const refusals = uses.flatMap(({ limit, key, use }) =>
    'waitUntil' in use ? [{ limit, key, waitUntil: use.waitUntil }] : [],
  );
  if (refusals.length > 0) return refusals.reduce((worst, one) => (one.waitUntil > worst.waitUntil ? one : worst));
  // Failures are only looked at: they are counted when they happen.
  for (const { limit, key, use } of uses)
    if ('fullAt' in use && limit.counts !== 'failure')
      await putQuotaBucket(tx, { issuer_id: issuer.id, limit_id: limit.id, key, full_at: use.fullAt });
  return undefined;
}

/** The order led to no certificate: what it took of those counts is free again, and each name that failed is counted. */
export async function settleFailure(
  tx: Db,
  issuer: Pick<IssuerRow, 'id' | 'limits'>,
  names: readonly string[],
  nature: OrderNature,
  outcome: { readonly failedNames: readonly string[]; readonly ordered: boolean },
  now: number,
): Promise<void> {
  const limits = limitsOf(issuer);
  const taken = touched(limits, names, nature).filter(
    ({ limit }) => limit.counts === 'certificate' || (limit.counts === 'order' && !outcome.ordered),
  );
  const failed = limits
    .filter(({ counts }) => counts === 'failure')
    .flatMap((limit) => limitKeys(limit, outcome.failedNames).map((key) => ({ limit, key })));
  if (taken.length + failed.length === 0) return;
  const fullAt = await fullTimes(
    tx,
    issuer.id,
    [...taken, ...failed].map(({ key }) => key),
  );
  const put = (limit: Limit, key: string, time: number) =>
    putQuotaBucket(tx, { issuer_id: issuer.id, limit_id: limit.id, key, full_at: time });
  for (const { limit, key } of taken) await put(limit, key, giveBack(limit, fullAt(limit.id, key)));
  for (const { limit, key } of failed) {
    const use = useLimit(limit, fullAt(limit.id, key), now);
    await put(limit, key, 'fullAt' in use ? use.fullAt : Math.ceil(now + limit.periodMs));
  }
}

/** What is left of each limit that these names touch, or of all in use where none are given. */
export async function forecastQuota(
  db: Db,
  issuer: Pick<IssuerRow, 'id' | 'limits'>,
  now: number,
  names?: readonly string[],
): Promise<QuotaForecast[]> {
  const limits = limitsOf(issuer);
  const view = (limit: Limit, key: string, fullAt: number): QuotaForecast => ({
    limit: limit.words,
    scope: key,
    used: limit.most - leftOf(limit, fullAt, now),
    most: limit.most,
    resetsAt: Math.max(fullAt, now),
  });
  if (names !== undefined) {
    const counts = touched(limits, names, 'new');
    const fullAt = await fullTimes(
      db,
      issuer.id,
      counts.map(({ key }) => key),
    );
    return counts.map(({ limit, key }) => view(limit, key, fullAt(limit.id, key)));
  }
  const rows = await db
    .selectFrom('quota_bucket')
    .selectAll()
    .where('issuer_id', '=', issuer.id)
    .where('full_at', '>', now)
    .orderBy('full_at', 'desc')
    .limit(100)
    .execute();
  return rows.flatMap((row) => {
    const limit = limits.find(({ id }) => id === row.limit_id);
    return limit === undefined ? [] : [view(limit, row.key, row.full_at)];
  });
}

/** Counts that are all free again need no row. */
export const forgetIdleQuota = deleteIdleBuckets;

/**
 * How far apart those that wait for the same limit come back: all of an account's certificates wait together, those of
 * one domain are some, and for a set of names it is one.
 */
const SPREAD: Record<Limit['by'], (limit: Limit) => number> = {
  account: ({ periodMs }) => periodMs,
  'registered-domain': ({ periodMs, most }) => (10 * periodMs) / most,
  'exact-set': () => 0,
  name: () => 60_000,
};

/** `random` is in [0, 1). */
export function quotaFault(issuerId: string, { limit, key: scope, waitUntil }: QuotaRefusal, random: number): Fault {
  return new Fault({
    code: 'quota',
    detail: `${issuerId}: all ${limit.most} ${limit.words}${scope === 'account' ? '' : ` (${scope})`} are used up`,
    party: 'ca',
    retry: { notBefore: Math.round(waitUntil + random * SPREAD[limit.by](limit)) },
    advice: 'nothing was spent; it is tried when one is free again, or name a second issuer for the certificate',
  });
}
