import { errorText } from '../base/index.ts';
import { sealAudit } from '../store/audit.ts';
import { forgetChanges } from '../store/changes.ts';
import { deleteExpiredSessions } from '../store/tokens.ts';
import type { ControlDeps } from './context.ts';

const SEAL_EVERY_MS = 5_000;
const SWEEP_EVERY_MS = 3_600_000;
// Who follows changes is behind by seconds, or by as long as the program stood still.
const CHANGES_KEPT_MS = 30 * 86_400_000;

/** Seals the audit log every few seconds and drops sessions that ended and changes that all have followed; and runs `others` beside; returns how to end. */
export function runHousekeeping(
  deps: ControlDeps,
  others: readonly ((signal: AbortSignal) => Promise<void>)[],
): () => Promise<void> {
  const stopping = new AbortController();
  const { clock, store, log } = deps;
  async function every(ms: number, what: string, work: () => Promise<unknown>): Promise<void> {
    while (!stopping.signal.aborted) {
      await work().catch((error) => log.error({ problem: errorText(error) }, `${what} failed; tried again soon`));
      await clock.sleep(ms, stopping.signal).catch(() => {});
    }
  }
  const running = Promise.all([
    ...others.map((run) => run(stopping.signal)),
    every(SEAL_EVERY_MS, 'sealing the audit log', () => sealAudit(store, clock.now())),
    every(SWEEP_EVERY_MS, 'dropping ended sessions', () => store.write((tx) => deleteExpiredSessions(tx, clock.now()))),
    every(SWEEP_EVERY_MS, 'dropping old changes', async () => {
      while (!stopping.signal.aborted && (await forgetChanges(store, clock.now() - CHANGES_KEPT_MS)) > 0);
    }),
  ]);
  return async () => {
    stopping.abort();
    await running;
  };
}
