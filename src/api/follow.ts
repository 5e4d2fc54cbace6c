import type { Clock } from '../base/index.ts';
import type { Actor, Control } from '../control/index.ts';
import type { StreamEvent } from './stream.ts';

const LOOK_EVERY_MS = 100;
const BATCH = 200;

/** A certificate's steps as they happen, from `after` on, until the client leaves; `served` once for each version. */
export async function* followCertificate(
  { control, clock }: { control: Control; clock: Clock },
  actor: Actor,
  id: string,
  after: number,
  signal: AbortSignal,
): AsyncGenerator<StreamEvent> {
  let seen = after;
  let servedAt = -1;
  while (!signal.aborted) {
    for (const event of await control.certificates.events(actor, id, seen, BATCH)) {
      if (event.step === 'served' && event.seq === servedAt) continue;
      if (event.step === 'served') servedAt = event.seq;
      seen = Math.max(seen, event.seq);
      yield { id: event.seq, event: event.step, data: event };
    }
    await clock.sleep(LOOK_EVERY_MS, signal).catch(() => {});
  }
}
