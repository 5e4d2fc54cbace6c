import { errorText } from '../base/index.ts';
import { updateDomain } from '../store/domains.ts';
import { changesSince, latestChange } from '../store/index.ts';
import type { DomainsDeps } from './domains.ts';
import { dueDomains, noteCertificate, reconcileDomain } from './reconcile.ts';

const TICK_MS = 5_000;
const MOST_AT_ONCE = 32;
const RETRY_MS = 30_000;

export interface DomainLoop {
  /** Reconciles one domain soon, beside the ticks. */
  wake(domainId: string): void;
  stop(): Promise<void>;
}

/** The one loop of domains: what is due by time, and what follows from certificates that changed. */
export function runDomainLoop(deps: Omit<DomainsDeps, 'wake'>): DomainLoop {
  const stopping = new AbortController();
  const underWay = new Map<string, Promise<unknown>>();
  const all: DomainsDeps = { ...deps, wake };

  function wake(id: string): void {
    // What finds no room is found by the next round, since it is due.
    if (stopping.signal.aborted || underWay.has(id) || underWay.size >= MOST_AT_ONCE) return;
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
    let cursor = await latestChange(deps.store.db);
    while (!stopping.signal.aborted) {
      try {
        const changes = await changesSince(deps.store.db, cursor);
        const certificates = new Set(changes.filter(({ kind }) => kind === 'certificate').map(({ key }) => key));
        for (const id of certificates) await noteCertificate(all, id);
        cursor = changes.at(-1)?.seq ?? cursor;
        const due = await dueDomains(all, MOST_AT_ONCE);
        for (const id of due) wake(id);
        // More is waiting: the next round begins as soon as there is room.
        if (due.length >= MOST_AT_ONCE && underWay.size > 0) {
          await Promise.race(underWay.values());
          continue;
        }
      } catch (error) {
        deps.log.error({ problem: errorText(error) }, 'domains: a round failed; the next one begins as usual');
      }
      await deps.clock.sleep(TICK_MS, stopping.signal).catch(() => {});
    }
  }

  const running = run();
  return {
    wake,
    async stop() {
      stopping.abort();
      await running;
      await Promise.allSettled(underWay.values());
    },
  };
}
