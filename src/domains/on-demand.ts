import { errorText } from '../base/index.ts';
import { spend } from '../store/acme-limits.ts';
import { type DomainRow, domainByName, updateDomain } from '../store/domains.ts';
import { appendAudit, recordChange } from '../store/index.ts';
import { createAskHook } from './ask-hook.ts';
import type { DomainsDeps } from './domains.ts';
import type { OnDemandSettings } from './ports.ts';
import { reconcileDomain } from './reconcile.ts';

/** Visitors who wait in a handshake for the certificate of a claimed name. */
export interface OnDemand {
  /** One is there; `address` is what budgets count by. Idempotent: heard again while somebody waits. */
  demand(name: string, address: string): Promise<void>;
  /** Ends watching. */
  stop(): void;
}

interface Refusal {
  readonly reason: string;
  /** How long visitors are sent away without asking again. */
  readonly forMs: number;
}

const HOUR = 3_600_000;
const SOON_MS = 5_000;
const MINUTE = 60_000;
// What a visitor can cause at will: one look at DNS for a name in this time.
const LOOK_PAUSE_MS = 10_000;

/**
 * Decides what follows from a visitor's wait: nothing for who claimed no such name, a look at DNS for who waits for that,
 * and for a name on demand, its certificate, within what its visitors' address and its app may spend, and where the ask
 * hook agrees. `refuse` is told when nobody should wait any longer.
 */
export function createOnDemand(
  deps: DomainsDeps,
  settings: OnDemandSettings,
  refuse: (name: string, forMs: number) => void,
): OnDemand {
  const { store, clock, log, certificates } = deps;
  const hook = settings.ask === undefined ? undefined : createAskHook(settings.ask, clock);
  const underWay = new Set<string>();
  /** Name -> certificate that somebody waits for, and until when. */
  const watched = new Map<string, { certificateId: string; until: number }>();

  async function decide(name: string, address: string): Promise<Refusal | undefined> {
    const row = await domainByName(store.db, name);
    if (row === undefined || row.lapsed_at !== null) return { reason: 'nobody claims it', forMs: SOON_MS };
    if (deps.settings.delegated === true)
      return { reason: 'its certificate is got and served by a cluster', forMs: MINUTE };
    if (row.certificate_id !== null) return wait(name, row.certificate_id);
    const refusal = row.on_demand === 1 && row.demanded_at === null ? await accept(row, address) : await lookSoon(row);
    if (refusal !== undefined) {
      await note(row, refusal.reason);
      return refusal;
    }
    const after = await reconcileDomain(deps, row.id);
    if (after?.certificate_id != null) return wait(name, after.certificate_id);
    const reason = `DNS is not right yet (${after?.dns_state ?? 'gone'})`;
    await note(row, reason);
    return { reason, forMs: SOON_MS };
  }

  async function wait(name: string, certificateId: string): Promise<Refusal | undefined> {
    if (await certificates.hasFailed(certificateId))
      return { reason: 'its certificate could not be got, and is tried for again later', forMs: SOON_MS };
    watched.set(name, { certificateId, until: clock.now() + settings.waitMs });
    return undefined;
  }

  /** Spends for a first demand, and records it. */
  async function accept(row: DomainRow, address: string): Promise<Refusal | undefined> {
    const within = (key: string, count: number, whose: string) =>
      store.write(async (tx): Promise<Refusal | undefined> => {
        const again = await spend(tx, `on-demand/${key}`, { count, period: HOUR }, clock.now());
        if (again === undefined) return undefined;
        const reason = `${whose} asked for ${count} new names within an hour`;
        return { reason, forMs: Math.min(MINUTE, again - clock.now()) };
      });
    // The address first, so that one stranger neither uses up an app's share nor keeps the hook busy.
    const spent = await within(`address/${address}`, settings.addressAnHour, 'visitors of one address have');
    if (spent !== undefined) return spent;
    const answer = await hook?.ask(row.name);
    if (answer?.wanted === false) return { reason: answer.reason, forMs: MINUTE };
    const appSpent = await within(`app/${row.app_id}`, settings.appAnHour, 'visitors of the app have');
    if (appSpent !== undefined) return appSpent;
    await store.write(async (tx) => {
      const now = clock.now();
      await updateDomain(tx, row.id, { demanded_at: now, demand_problem: null, next_look_at: now }, now);
      await recordChange(tx, 'domain', row.id, now);
      const facts = { app: row.app_id };
      await appendAudit(tx, { actor: 'edge', action: 'domain.demand', resource: `domain:${row.name}`, facts, at: now });
    });
    log.info({ domain: row.name, app: row.app_id, client: address }, 'the first visitor asks for its certificate');
    return undefined;
  }

  /** That somebody comes is a sign that DNS leads here now. */
  async function lookSoon(row: DomainRow): Promise<undefined> {
    const now = clock.now();
    if (row.looked_at !== null && row.looked_at + LOOK_PAUSE_MS > now) return;
    await store.write((tx) => updateDomain(tx, row.id, { next_look_at: now }, now));
  }

  async function note(row: DomainRow, reason: string): Promise<void> {
    if (row.demand_problem === reason) return;
    await store.write((tx) => updateDomain(tx, row.id, { demand_problem: reason }, clock.now()));
  }

  async function watchAll(): Promise<void> {
    for (const [name, { certificateId, until }] of watched) {
      if (until <= clock.now() || (await certificates.isServed(certificateId))) watched.delete(name);
      else if (await certificates.hasFailed(certificateId)) {
        watched.delete(name);
        refuse(name, SOON_MS);
      }
    }
  }
  const stopWatching = store.onChange(() => {
    if (watched.size > 0) void watchAll().catch((error) => log.warn({ problem: errorText(error) }, 'on demand: watch'));
  });

  return {
    stop: stopWatching,
    async demand(name, address) {
      if (underWay.has(name)) return;
      underWay.add(name);
      try {
        const refusal = await decide(name, address);
        if (refusal === undefined) return;
        log.warn({ domain: name, client: address, forMs: refusal.forMs }, `on demand: refused: ${refusal.reason}`);
        refuse(name, refusal.forMs);
      } catch (error) {
        log.error({ domain: name, problem: errorText(error) }, 'on demand: could not be decided');
        refuse(name, SOON_MS);
      } finally {
        underWay.delete(name);
      }
    },
  };
}
