import type { Clock } from '../../src/base/index.ts';

/** Virtual time with a heap of sleepers, for a hundred thousand of them. */
export interface Scheduler {
  now(): number;
  /** A clock that is off by what `skew` says. */
  clock(skew?: () => number): Clock;
  at(time: number, wake: () => void): void;
  /** Marks that something happened which is not a sleep, so that time stands still until it has had its effects. */
  stir(): void;
  /** Work in progress outside virtual time: while there is any, time stands still. */
  hold<T>(work: Promise<T>): Promise<T>;
  /** Moves time on, from one sleeper to the next, until `end`. */
  run(end: number, tick?: (now: number) => void): Promise<void>;
  /** Of every wake so far and its time: two runs that did the same have the same. */
  digest(): string;
}

interface Sleeper {
  readonly at: number;
  readonly order: number;
  wake?: () => void;
}

export function createScheduler(start: number): Scheduler {
  let time = start;
  let order = 0;
  let stirs = 0;
  let held = 0;
  let digest = 0x811c9dc5;
  const heap: Sleeper[] = [];
  const isBefore = (a: Sleeper, b: Sleeper) => a.at < b.at || (a.at === b.at && a.order < b.order);

  function push(sleeper: Sleeper): void {
    let index = heap.push(sleeper) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!isBefore(sleeper, heap[parent]!)) break;
      heap[index] = heap[parent]!;
      index = parent;
    }
    heap[index] = sleeper;
  }

  function pop(): Sleeper | undefined {
    const top = heap[0];
    const last = heap.pop();
    if (top === undefined || last === undefined || heap.length === 0) return top;
    let index = 0;
    for (;;) {
      let child = index * 2 + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (!isBefore(heap[child]!, last)) break;
      heap[index] = heap[child]!;
      index = child;
    }
    heap[index] = last;
    return top;
  }

  function sleep(ms: number, signal?: AbortSignal): Promise<void> {
    stirs++;
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const sleeper: Sleeper = { at: time + Math.max(0, ms), order: order++ };
      const onAbort = () => {
        sleeper.wake = undefined;
        stirs++;
        reject(signal!.reason);
      };
      sleeper.wake = () => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      push(sleeper);
    });
  }

  /** FNV-1a over the numbers of those that wake; sleepers that were given up count too, as they took a number. */
  function fold(value: number): void {
    for (let rest = Math.abs(Math.round(value)); rest > 0; rest = Math.floor(rest / 0x10000))
      digest = Math.imul(digest ^ (rest % 0x10000), 0x01000193) >>> 0;
  }

  /** Until a whole turn of the event loop has passed in which nothing moved. */
  async function settle(): Promise<void> {
    for (let quiet = 0; quiet < 2; ) {
      const before = stirs;
      await new Promise<void>((resolve) => setImmediate(resolve));
      quiet = held === 0 && before === stirs ? quiet + 1 : 0;
    }
  }

  return {
    now: () => time,
    clock: (skew = () => 0) => ({ now: () => Math.round(time + skew()), sleep }),
    at: (at, wake) => push({ at, order: order++, wake }),
    stir: () => {
      stirs++;
    },
    async hold(work) {
      held++;
      stirs++;
      try {
        return await work;
      } finally {
        held--;
        stirs++;
      }
    },
    async run(end, tick) {
      for (;;) {
        await settle();
        let next = heap[0];
        while (next !== undefined && next.wake === undefined) {
          pop();
          next = heap[0];
        }
        if (next === undefined || next.at > end) break;
        time = Math.max(time, next.at);
        tick?.(time);
        fold(time);
        while (heap[0] !== undefined && heap[0].at <= time) {
          const sleeper = pop()!;
          fold(sleeper.order);
          sleeper.wake?.();
        }
      }
      time = end;
    },
    digest: () => digest.toString(16).padStart(8, '0'),
  };
}
