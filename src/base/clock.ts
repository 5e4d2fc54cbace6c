/** Time as an argument: logic asks the clock it was given, so that a year can pass in a test in a second. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
  /** Resolves after `ms` milliseconds of this clock; rejects with the signal's reason when aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

// setTimeout overflows to 1 ms above this, so longer sleeps are made of several.
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  async sleep(ms, signal) {
    for (let left = Math.max(0, ms); ; left -= LONGEST_TIMER_MS) {
      await timer(Math.min(left, LONGEST_TIMER_MS), signal);
      if (left <= LONGEST_TIMER_MS) return;
    }
  },
};

function timer(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const onAbort = () => {
      clearTimeout(handle);
      reject(signal!.reason);
    };
    const handle = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    }, ms);
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

export interface VirtualClock extends Clock {
  /** Moves time forward, waking sleepers in order of their wake time, and lets each run before the next wakes. */
  advance(ms: number): Promise<void>;
  /** Jumps without waking anyone in between, as a machine's clock does when it is corrected. */
  set(time: number): void;
  /** Wake time of the next sleeper, if any. */
  nextWake(): number | undefined;
}

export function createVirtualClock(start = Date.UTC(2026, 0, 1)): VirtualClock {
  let time = start;
  const sleepers: { at: number; wake: () => void }[] = [];
  const settle = () => new Promise<void>((resolve) => setImmediate(resolve));
  return {
    now: () => time,
    sleep(ms, signal) {
      return new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason);
        const sleeper = { at: time + Math.max(0, ms), wake: resolve };
        sleepers.push(sleeper);
        signal?.addEventListener(
          'abort',
          () => {
            const index = sleepers.indexOf(sleeper);
            if (index >= 0) sleepers.splice(index, 1);
            reject(signal.reason);
          },
          { once: true },
        );
      });
    },
    async advance(ms) {
      const end = time + ms;
      for (;;) {
        await settle();
        const next = sleepers.reduce<number>((least, { at }) => Math.min(least, at), Number.POSITIVE_INFINITY);
        if (next > end) break;
        time = Math.max(time, next);
        for (const due of sleepers.filter(({ at }) => at <= time)) {
          sleepers.splice(sleepers.indexOf(due), 1);
          due.wake();
        }
      }
      time = end;
      await settle();
    },
    set(next) {
      time = next;
    },
    nextWake: () => (sleepers.length === 0 ? undefined : Math.min(...sleepers.map(({ at }) => at))),
  };
}
