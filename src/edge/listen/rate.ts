import type { Clock } from '../../base/index.ts';

/** A token bucket that holds one second's worth. */
export interface Rate {
  take(): boolean;
}

export function createRate(perSecond: number, clock: Clock): Rate {
  let tokens = perSecond;
  let last = clock.now();
  return {
    take() {
      const now = clock.now();
      tokens = Math.min(perSecond, tokens + ((now - last) / 1000) * perSecond);
      last = now;
      if (tokens < 1) return false;
      tokens--;
      return true;
    },
  };
}
