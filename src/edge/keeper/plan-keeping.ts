/** What is known of an ACME listener's certificate when its keeper looks. Times are ms since the epoch. */
export interface KeepingFacts {
  readonly cached: CachedFacts | undefined;
  /** Failed attempts in a row. */
  readonly failures: number;
  readonly lastAttemptAt: number | undefined;
  /** The CA said not to come before (Retry-After). */
  readonly notBefore: number | undefined;
  /** RFC 9773: when the CA would have it replaced. */
  readonly window: { readonly start: number; readonly end: number } | undefined;
}

export interface CachedFacts {
  /** Stable for one certificate; spreads the renewals of many. */
  readonly fingerprint: string;
  readonly notBefore: number;
  readonly notAfter: number;
  /** Whether it is for every name of the listener. */
  readonly covers: boolean;
}

export type Keeping =
  /** What is cached is good; look again then. */
  | { readonly step: 'rest'; readonly until: number }
  | { readonly step: 'obtain'; readonly why: 'missing' | 'expired' | 'names' | 'due' };

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const TEN_DAYS = 240 * HOUR;
const LONGEST_WAIT = 6 * HOUR;

export function planKeeping(facts: KeepingFacts, now: number): Keeping {
  const why = wanted(facts, now);
  const earliest = nextAttempt(facts);
  if (why !== undefined) return earliest <= now ? { step: 'obtain', why } : { step: 'rest', until: earliest };
  return { step: 'rest', until: Math.max(earliest, renewalTime(facts.cached!, facts.window)) };
}

function wanted({ cached, window }: KeepingFacts, now: number): 'missing' | 'expired' | 'names' | 'due' | undefined {
  if (cached === undefined) return 'missing';
  if (cached.notAfter <= now) return 'expired';
  if (!cached.covers) return 'names';
  return renewalTime(cached, window) <= now ? 'due' : undefined;
}

/**
 * RFC 9773 §4.2: a time within the CA's window. Else two thirds into the lifetime, half for one below ten days, earlier
 * by up to a hundredth of it so that listeners set up together do not renew together.
 */
export function renewalTime(cached: CachedFacts, window: KeepingFacts['window']): number {
  const share = Number.parseInt(cached.fingerprint.slice(0, 8), 16) / 2 ** 32;
  if (window !== undefined) return window.start + (window.end - window.start) * share;
  const lifetime = cached.notAfter - cached.notBefore;
  return cached.notBefore + lifetime * ((lifetime >= TEN_DAYS ? 2 / 3 : 1 / 2) - share / 100);
}

/** A minute, then twice as long each time up to six hours; never before what the CA said. */
function nextAttempt({ failures, lastAttemptAt, notBefore }: KeepingFacts): number {
  const wait = failures === 0 ? 0 : Math.min(MINUTE * 2 ** (failures - 1), LONGEST_WAIT);
  return Math.max((lastAttemptAt ?? 0) + wait, notBefore ?? 0);
}
