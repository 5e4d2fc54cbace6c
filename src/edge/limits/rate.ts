import { limitKey } from './addresses.ts';

interface Bucket {
  tokens: number;
  at: number;
}

/** A token bucket per address; each request takes one token. */
export interface RequestRate {
  /** False when the bucket is empty. `now` in milliseconds. */
  take(address: string, now: number): boolean;
  /** Seconds until one token is there again. */
  retryAfter(): number;
}

const MOST_BUCKETS = 100_000;

export function createRequestRate(perSecond: number, burst: number, exempt: (address: string) => boolean): RequestRate {
  const buckets = new Map<string, Bucket>();
  const fillMs = (burst / perSecond) * 1000;
  const forgetFull = (now: number) => {
    for (const [key, bucket] of buckets) if (now - bucket.at >= fillMs) buckets.delete(key);
    // All are in use: the longest known lose their count rather than the process its memory.
    for (const key of buckets.keys()) {
      if (buckets.size < MOST_BUCKETS) break;
      buckets.delete(key);
    }
  };
  return {
    take(address, now) {
      if (exempt(address)) return true;
      const key = limitKey(address);
      const bucket = buckets.get(key);
      if (bucket === undefined) {
        if (buckets.size >= MOST_BUCKETS) forgetFull(now);
        buckets.set(key, { tokens: burst - 1, at: now });
        return burst >= 1;
      }
      bucket.tokens = Math.min(burst, bucket.tokens + (Math.max(0, now - bucket.at) / 1000) * perSecond);
      bucket.at = now;
      if (bucket.tokens < 1) return false;
      bucket.tokens--;
      return true;
    },
    retryAfter: () => Math.max(1, Math.ceil(1 / perSecond)),
  };
}
