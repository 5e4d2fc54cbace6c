import { registeredDomain } from '../x509/index.ts';

/** A limit that a CA publishes, counted here before it is hit. */
export interface Limit {
  readonly id: string;
  /** In words, without the number: `certificates for a registered domain`. */
  readonly words: string;
  readonly counts: 'order' | 'certificate' | 'failure';
  readonly by: 'account' | 'registered-domain' | 'exact-set' | 'name';
  /** At most this many in `periodMs`; one comes back every `periodMs / most`. */
  readonly most: number;
  readonly periodMs: number;
  /** What does not count: replacements by renewal information, or any renewal of the same names. */
  readonly exempt: 'replacement' | 'renewal' | 'nothing';
}

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** https://letsencrypt.org/docs/rate-limits/ as of autumn 2026. */
export const LETS_ENCRYPT_LIMITS: readonly Limit[] = [
  {
    id: 'orders',
    words: 'new orders of our account',
    counts: 'order',
    by: 'account',
    most: 300,
    periodMs: 3 * HOUR,
    exempt: 'renewal',
  },
  {
    id: 'domain',
    words: 'certificates for the registered domain',
    counts: 'certificate',
    by: 'registered-domain',
    most: 50,
    periodMs: 7 * DAY,
    exempt: 'renewal',
  },
  {
    id: 'same-names',
    words: 'certificates for exactly these names',
    counts: 'certificate',
    by: 'exact-set',
    most: 5,
    periodMs: 7 * DAY,
    exempt: 'replacement',
  },
  {
    id: 'failures',
    words: 'failed authorizations of the name',
    counts: 'failure',
    by: 'name',
    most: 5,
    periodMs: HOUR,
    exempt: 'nothing',
  },
];

/** What an order is to a limit. */
export type OrderNature = 'new' | 'renewal' | 'replacement';

export function isExempt({ exempt }: Limit, nature: OrderNature): boolean {
  if (exempt === 'nothing') return false;
  return nature === 'replacement' || (nature === 'renewal' && exempt === 'renewal');
}

/** What a limit counts for these names: one key each. */
export function limitKeys({ by }: Limit, names: readonly string[]): string[] {
  if (by === 'account') return ['account'];
  if (by === 'exact-set') return [[...names].sort().join(',')];
  if (by === 'name') return [...names];
  return [...new Set(names.map(registeredDomain))];
}

/**
 * What is used of a limit is one time: when all of it is free again (generic cell rate algorithm, as Let's Encrypt
 * counts too). One use moves it by `periodMs / most`; a use is allowed while it stays within `periodMs` from now.
 */
export function useLimit(
  limit: Limit,
  fullAt: number,
  now: number,
): { readonly fullAt: number } | { readonly waitUntil: number } {
  const interval = limit.periodMs / limit.most;
  const next = Math.max(fullAt, now) + interval;
  return next - now <= limit.periodMs + 1
    ? { fullAt: Math.ceil(next) }
    : { waitUntil: Math.ceil(next - limit.periodMs) };
}

/**
 * Whether an order may go. A CA counts when the order reaches it, which is later than we count it, by a different time
 * for each: so its count frees a place later than ours does, and we wait that much longer.
 */
export function reserveLimit(limit: Limit, fullAt: number, now: number): ReturnType<typeof useLimit> {
  const way = longestWay(limit);
  const use = useLimit(limit, fullAt, now - way);
  return 'waitUntil' in use
    ? { waitUntil: use.waitUntil + way }
    : { fullAt: Math.ceil(Math.max(fullAt, now) + limit.periodMs / limit.most) };
}

const ON_THE_WAY_MS = 60_000;
/** What was counted longer ago is counted again before the CA is asked: half of the way is until then. */
export const RECOUNT_AFTER_MS = ON_THE_WAY_MS / 2;

/**
 * How long an order may be on its way and the count still holds: orders are counted when they reach the CA, certificates
 * when they are issued. Less where a whole period is not much more.
 */
export const longestWay = ({ counts, periodMs }: Limit): number =>
  Math.min(counts === 'certificate' ? 15 * ON_THE_WAY_MS : ON_THE_WAY_MS, periodMs / 10);

/**
 * Counts once more what was counted at `since` and reaches the CA only now. What has been free again meanwhile is at most
 * the time that went by, and at most one use, so no more than that is added.
 */
export function recountLimit(limit: Limit, fullAt: number, since: number, now: number): ReturnType<typeof useLimit> {
  const way = longestWay(limit);
  const { free } = partsOfUse(limit, since, now);
  const next = Math.max(fullAt, now - way) + free;
  return next - (now - way) <= limit.periodMs + 1
    ? { fullAt: recounted(limit, fullAt, since, now) }
    : { waitUntil: Math.ceil(next - limit.periodMs + way) };
}

/** The same where it cannot be held up. */
export const recounted = (limit: Limit, fullAt: number, since: number, now: number): number =>
  Math.ceil(Math.max(fullAt, now) + partsOfUse(limit, since, now).free);

/** Of a use at `since`: what may be free again by now, and what is taken still for certain. */
function partsOfUse({ periodMs, most }: Limit, since: number, now: number): { free: number; taken: number } {
  const interval = periodMs / most;
  const free = Math.min(interval, Math.max(0, now - since));
  return { free, taken: interval - free };
}

export function leftOf(limit: Limit, fullAt: number, now: number): number {
  const interval = limit.periodMs / limit.most;
  return Math.max(0, Math.floor((limit.periodMs - Math.max(0, fullAt - now) + 1) / interval));
}

/** Gives back what was taken at `since` for something that did not happen, as far as it is not free again by itself. */
export const giveBack = (limit: Limit, fullAt: number, since: number, now: number): number =>
  Math.floor(fullAt - partsOfUse(limit, since, now).taken);
