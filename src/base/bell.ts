import type { Clock } from './clock.ts';

/** Lets a loop sleep until it is due, or until somebody rings. A ring while nobody sleeps is kept for the next sleep. */
export interface Bell {
  ring(): void;
  /** Resolves when rung or after `ms`; rejects with the signal's reason when aborted. */
  wait(ms: number, signal: AbortSignal): Promise<void>;
}

export function createBell(clock: Clock): Bell {
  let rung = false;
  let wake: AbortController | undefined;
  return {
    ring() {
      rung = true;
      wake?.abort();
    },
    async wait(ms, signal) {
      signal.throwIfAborted();
      if (!rung) {
        wake = new AbortController();
        await clock.sleep(ms, AbortSignal.any([signal, wake.signal])).catch(() => {});
        wake = undefined;
      }
      rung = false;
      signal.throwIfAborted();
    },
  };
}
