import { createBell, errorText } from '../base/index.ts';
import { updateDomain } from '../store/domains.ts';
import { followChanges } from '../store/index.ts';
import type { DomainsDeps } from './domains.ts';
import { dueDomains, noteCertificate, reconcileDomain } from './reconcile.ts';

/** Other processes' commits ring no bell here, so the change log is looked at this often anyway. */
const LOOK_EVERY_MS = 2_000;
/** Between two rounds, so that many changes are one round's work. */
const REST_MS = 25;
const MOST_AT_ONCE = 32;
const RETRY_MS = 30_000;

export interface DomainLoop {
  /** Reconciles one domain soon, beside the rounds. */
  wake(domainId: string): void;
  stop(): Promise<void>;
}

/** The one loop of domains: what is due by time, and what follows from certificates that changed. */
export function runDomainLoop(deps: Omit<DomainsDeps, 'wake'>): DomainLoop {
  const stopping = new AbortController();
  const underWay = new Map<string, Promise<unknown>>();
  const all: DomainsDeps = { ...deps, wake };
  const bell = createBell(deps.clock);
  const { signal } = stopping;

  function wake(id: string): void {
    // What finds no room is found by the next round, since it is due.
    if (signal.aborted || underWay.has(id) || underWay.size >= MOST_AT_ONCE) return;
    const work = reconcileDomain(all, id)
      .catch(async (error) => {
        deps.log.warn({ domain: id, problem: errorText(error) }, 'a domain could not be brought forward; trying again');
        const now = deps.clock.now();
        await deps.store.write((tx) => updateDomain(tx, id, { next_look_at: now + RETRY_MS }, now));
      })
      .catch((error) => deps.log.error({ domain: id, problem: errorText(error) }, 'the store refused a write'))
      .finally(() => underWay.delete(id));
    underWay.set(id, work);
  }

  async function run(): Promise<void> {
    let follower = await followChanges(deps.store, deps.clock);
    let noted = follower.settled();
    while (!signal.aborted) {
      try {
        const changes = await follower.next();
        const certificates = new Set(changes.filter(({ kind }) => kind === 'certificate').map(({ key }) => key));
        for (const id of certificates) await noteCertificate(all, id);
        noted = follower.settled();
        const due = await dueDomains(all, MOST_AT_ONCE);
        for (const id of due) wake(id);
        // More is waiting: the next round begins as soon as there is room.
        if (due.length >= MOST_AT_ONCE && underWay.size > 0) {
          await Promise.race(underWay.values());
          continue;
        }
      } catch (error) {
        deps.log.error({ problem: errorText(error) }, 'domains: a round failed; the next one begins as usual');
        follower = await followChanges(deps.store, deps.clock, noted);
      }
      await deps.clock
        .sleep(REST_MS, signal)
        .then(() => bell.wait(LOOK_EVERY_MS, signal))
        .catch(() => {});
    }
  }

  const stopListening = deps.store.onChange(() => bell.ring());
  const running = run();
  return {
    wake,
    async stop() {
      stopListening();
      stopping.abort();
      await running;
      await Promise.allSettled(underWay.values());
    },
  };
}
