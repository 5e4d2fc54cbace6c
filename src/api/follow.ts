import type { Clock } from '../base/index.ts';
import type { StreamEvent } from './stream.ts';

/** A numbered step in words. */
export interface Told {
  readonly seq: number;
  readonly step: string;
  readonly detail: string;
}

const LOOK_EVERY_MS = 100;
const BATCH = 200;

/**
 * Steps as they happen, from `after` on, until the client leaves. A step that tells of a state (`dns`, `served`) has the
 * number of the step before it, and is told once until its words change.
 */
export async function* followSteps<Step extends Told>(
  read: (after: number, limit: number) => Promise<Step[]>,
  clock: Clock,
  after: number,
  signal: AbortSignal,
): AsyncGenerator<StreamEvent> {
  let seen = after;
  let state = '';
  while (!signal.aborted) {
    for (const event of await read(seen, BATCH)) {
      if (event.seq <= seen) {
        const told = `${event.seq} ${event.step} ${event.detail}`;
        if (told === state) continue;
        state = told;
      }
      seen = Math.max(seen, event.seq);
      yield { id: event.seq, event: event.step, data: event };
    }
    await clock.sleep(LOOK_EVERY_MS, signal).catch(() => {});
  }
}
