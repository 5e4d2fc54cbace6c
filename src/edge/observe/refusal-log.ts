import type { Clock, Logger } from '../../base/index.ts';
import { limitKey } from '../limits/addresses.ts';
import type { RefusalReason } from '../plane/index.ts';

/**
 * A line for each client that a limit or the parser turned away, in one form, so that fail2ban can read it
 * (deploy/fail2ban). So many a minute of one address as a ban may ask for, and so many in all that a flood from many
 * addresses fills no disk.
 */
export interface RefusalLog {
  note(reason: RefusalReason, address: string): void;
}

const WINDOW_MS = 60_000;
const MOST_OF_ONE = 20;
const MOST = 2_000;

/** `isProxy`: addresses that speak for others, which nobody should ban. */
export function createRefusalLog(log: Logger, clock: Clock, isProxy: (address: string) => boolean): RefusalLog {
  const counts = new Map<string, number>();
  let windowEnd = 0;
  let written = 0;
  let leftOut = 0;
  return {
    note(reason, address) {
      const now = clock.now();
      if (now >= windowEnd) {
        if (leftOut > 0) log.warn({ leftOut }, 'refusals were left out of the log');
        counts.clear();
        windowEnd = now + WINDOW_MS;
        written = 0;
        leftOut = 0;
      }
      if (isProxy(address)) return;
      const key = limitKey(address);
      const count = (counts.get(key) ?? 0) + 1;
      if (count > MOST_OF_ONE || written >= MOST) {
        leftOut++;
        return;
      }
      counts.set(key, count);
      written++;
      log.warn({ client: address, reason }, 'client refused');
    },
  };
}
