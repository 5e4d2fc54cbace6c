import { limitKey } from './addresses.ts';

interface Bucket {
  tokens: number;
  at: number;
}

/** A token bucket per address; each request takes one token. */
export interface RequestRate {
  /** False when the bucket is empty. `now` in milliseconds. */
  take(address: string, now: number): boolean;
  /** Another worker let so many requests of a limit key pass. */
  heard(key: string, count: number, now: number): void;
  /** Seconds until one token is there again. */
  retryAfter(): number;
}

const MOST_BUCKETS = 100_000;

export function createRequestRate(
  perSecond: number,
  burst: number,
  exempt: (address: string) => boolean,
  told: (key: string) => void = () => {},
): RequestRate {
  const buckets = new Map<string, Bucket>();
  const fillMs = (burst / perSecond) * 1000;
  const forgetFull = (now: number) => {
    for (const [key, bucket] of buckets) if (now - bucket.at >= 2 * fillMs) buckets.delete(key);
    // All are in use: the longest known lose their count rather than the process its memory.
    for (const key of buckets.keys()) {
      if (buckets.size < MOST_BUCKETS) break;
      buckets.delete(key);
    }
  };
  const filled = (key: string, now: number): Bucket => {
    let bucket = buckets.get(key);
    if (bucket === undefined) {
      if (buckets.size >= MOST_BUCKETS) forgetFull(now);
      bucket = { tokens: burst, at: now };
      buckets.set(key, bucket);
    }
    bucket.tokens = Math.min(burst, bucket.tokens + (Math.max(0, now - bucket.at) / 1000) * perSecond);
    bucket.at = now;
    return bucket;
  };
  return {
    take(address, now) {
      if (exempt(address)) return true;
      const key = limitKey(address);
      const bucket = filled(key, now);
      if (bucket.tokens < 1) return false;
      bucket.tokens--;
      told(key);
      return true;
    },
    heard(key, count, now) {
      const bucket = filled(key, now);
      // What both let pass before they heard of each other is paid back, but nobody is kept out for long.
      bucket.tokens = Math.max(-burst, bucket.tokens - count);
    },
    retryAfter: () => Math.max(1, Math.ceil(1 / perSecond)),
  };
}
