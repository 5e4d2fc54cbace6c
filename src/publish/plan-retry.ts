const FIRST_MS = 500;
const LONGEST_MS = 60_000;

/** How long to wait before the next attempt, after `attempts` that failed: half a second, doubling up to a minute. */
export const planRetry = (attempts: number): number => Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(attempts - 1, 10));
