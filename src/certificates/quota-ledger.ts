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
  recounted,
  recountLimit,
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

type Use = ReturnType<typeof useLimit>;

type Counts = readonly { readonly limit: Limit; readonly key: string }[];

/** What each of these counts would be, or which stands in the way the longest. */
async function usesOf(tx: Db, issuerId: string, counts: Counts, use: (limit: Limit, fullAt: number) => Use) {
  if (counts.length === 0) return { uses: [] };
  const fullAt = await fullTimes(
    tx,
    issuerId,
    counts.map(({ key }) => key),
  );
  const uses = counts.map(({ limit, key }) => ({ limit, key, ...use(limit, fullAt(limit.id, key)) }));
  const refusals = uses.filter((one): one is typeof one & QuotaRefusal => 'waitUntil' in one);
  const refusal = refusals.toSorted((a, b) => b.waitUntil - a.waitUntil)[0];
  return { uses, ...(refusal && { refusal }) };
}

/** Takes of all these counts, or of none and says what stands in the way the longest. */
async function take(
  tx: Db,
  issuerId: string,
  counts: Counts,
  use: (limit: Limit, fullAt: number) => Use,
): Promise<QuotaRefusal | undefined> {
  const { uses, refusal } = await usesOf(tx, issuerId, counts, use);
  if (refusal !== undefined) return refusal;
  // Failures are only looked at: they are counted when they happen.
  for (const { limit, key, ...one } of uses)
    if ('fullAt' in one && limit.counts !== 'failure')
      await putQuotaBucket(tx, { issuer_id: issuerId, limit_id: limit.id, key, full_at: one.fullAt });
  return undefined;
}

type Counted = Pick<IssuerRow, 'id' | 'limits'>;

/** Takes what an order will use; of an order after the first of an attempt only what counts orders. */
export function reserveQuota(
  tx: Db,
  issuer: Counted,
  names: readonly string[],
  nature: OrderNature,
  now: number,
  only?: Limit['counts'],
): Promise<QuotaRefusal | undefined> {
  const counts = touched(limitsOf(issuer), names, nature).filter(
    ({ limit }) => only === undefined || limit.counts === only,
  );
  return take(tx, issuer.id, counts, (limit, fullAt) => reserveLimit(limit, fullAt, now));
}

/** What would stand in the way of an order now; nothing is taken. */
export async function quotaRefusal(
  tx: Db,
  issuer: Counted,
  names: readonly string[],
  nature: OrderNature,
  now: number,
): Promise<QuotaRefusal | undefined> {
  const counts = touched(limitsOf(issuer), names, nature);
  return (await usesOf(tx, issuer.id, counts, (limit, fullAt) => reserveLimit(limit, fullAt, now))).refusal;
}

/**
 * An order that was counted at `since` goes on only now, and the CA counts it now. One that the CA has taken already is
 * not held up: only its certificate is counted again.
 */
export function recountQuota(
  tx: Db,
  issuer: Counted,
  names: readonly string[],
  nature: OrderNature,
  { since, now, ordered }: { readonly since: number; readonly now: number; readonly ordered: boolean },
): Promise<QuotaRefusal | undefined> {
  const counts = touched(limitsOf(issuer), names, nature).filter(
    ({ limit }) => limit.counts === 'certificate' || (limit.counts === 'order' && !ordered),
  );
  return take(tx, issuer.id, counts, (limit, fullAt) =>
    ordered ? { fullAt: recounted(limit, fullAt, since, now) } : recountLimit(limit, fullAt, since, now),
  );
}

/** Each name whose authorization failed is counted. */
export async function countFailures(tx: Db, issuer: Counted, names: readonly string[], now: number): Promise<void> {
  const counts = limitsOf(issuer)
    .filter(({ counts }) => counts === 'failure')
    .flatMap((limit) => limitKeys(limit, names).map((key) => ({ limit, key })));
  if (counts.length === 0) return;
  const fullAt = await fullTimes(
    tx,
    issuer.id,
    counts.map(({ key }) => key),
  );
  for (const { limit, key } of counts) {
    const use = useLimit(limit, fullAt(limit.id, key), now);
    const full_at = 'fullAt' in use ? use.fullAt : Math.ceil(now + limit.periodMs);
    await putQuotaBucket(tx, { issuer_id: issuer.id, limit_id: limit.id, key, full_at });
  }
}

/** An order led to no certificate: what it took at `since` is given back, but for the order where the CA had it. */
export async function giveBackQuota(
  tx: Db,
  issuer: Counted,
  names: readonly string[],
  nature: OrderNature,
  { since, now, ordered }: { readonly since: number; readonly now: number; readonly ordered: boolean },
): Promise<void> {
  const taken = touched(limitsOf(issuer), names, nature).filter(
    ({ limit }) => limit.counts === 'certificate' || (limit.counts === 'order' && !ordered),
  );
  if (taken.length === 0) return;
  const fullAt = await fullTimes(
    tx,
    issuer.id,
    taken.map(({ key }) => key),
  );
  for (const { limit, key } of taken) {
    const full_at = giveBack(limit, fullAt(limit.id, key), since, now);
    await putQuotaBucket(tx, { issuer_id: issuer.id, limit_id: limit.id, key, full_at });
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

export const wordsOfRefusal = (issuerId: string, { limit, key }: QuotaRefusal): string =>
  `${issuerId}: all ${limit.most} ${limit.words}${key === 'account' ? '' : ` (${key})`} are used up`;

/** `random` is in [0, 1). */
export function quotaFault(issuerId: string, refusal: QuotaRefusal, random: number): Fault {
  const { limit, waitUntil } = refusal;
  return new Fault({
    code: 'quota',
    detail: wordsOfRefusal(issuerId, refusal),
    party: 'ca',
    retry: { notBefore: Math.round(waitUntil + random * SPREAD[limit.by](limit)) },
    advice: 'nothing was spent; it is tried when one is free again, or name a second issuer for the certificate',
  });
}
