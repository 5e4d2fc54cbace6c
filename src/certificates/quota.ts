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

/** How long an order may be on its way and the count still holds; less where a whole period is not much more. */
export const longestWay = ({ periodMs }: Limit): number => Math.min(60_000, periodMs / 10);

export function leftOf(limit: Limit, fullAt: number, now: number): number {
  const interval = limit.periodMs / limit.most;
  return Math.max(0, Math.floor((limit.periodMs - Math.max(0, fullAt - now) + 1) / interval));
}

/** Gives back what was taken for something that did not happen. */
export const giveBack = (limit: Limit, fullAt: number): number => Math.floor(fullAt - limit.periodMs / limit.most);
