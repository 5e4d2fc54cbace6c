import { type Clock, errorText, type Logger, sha256Hex } from '../base/index.ts';
import { putSeen } from '../store/deliveries.ts';
import type { Store } from '../store/index.ts';
import { isWildcard } from '../x509/index.ts';
import { createBell } from './bell.ts';
import { allGroups, findGroups, type RouteGroup, type RouteSource } from './route-group.ts';
import type { ServedCertificates } from './served-certificates.ts';

/** Looks at a data plane as a client does: DER of the leaf that is shown for a server name. Rejects in words. */
export interface ServingProbe {
  look(serverName: string, signal: AbortSignal): Promise<Uint8Array>;
}

export interface ServingWatchDeps {
  readonly store: Store;
  readonly sources: readonly RouteSource[];
  readonly certificates: Pick<ServedCertificates, 'find'>;
  /** The publisher whose data plane it is. */
  readonly publisher: string;
  readonly probe: ServingProbe;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Sees whether what was delivered is what clients are shown, and says so where it is not. */
export interface ServingWatch {
  /** These were just delivered: groups, or certificates that cover some. */
  delivered(items: readonly string[]): void;
  /** Looks at what was delivered, several times with growing pauses while it differs, and at everything once a day. */
  run(signal: AbortSignal): Promise<void>;
}

const PAUSES_MS = [1_000, 3_000, 10_000, 30_000, 120_000];
const LOOK_TIMEOUT_MS = 5_000;
const AT_ONCE = 4;
const MOST_WAITING = 20_000;
const ALL_EVERY_MS = 24 * 3_600_000;

export function createServingWatch(deps: ServingWatchDeps): ServingWatch {
  const { clock, log } = deps;
  const bell = createBell(clock);
  /** Group or certificate -> when to look next, and how often it was looked at. */
  const due = new Map<string, { at: number; looks: number }>();

  const look = async (item: string, signal: AbortSignal): Promise<boolean> => {
    const covered = (await Promise.all(deps.sources.map((source) => source.coveredBy(item)))).flat();
    const groups = await findGroups(deps.sources, [item, ...covered]);
    let right = true;
    for (const group of groups) right = (await lookAt(deps, group, signal)) && right;
    return right;
  };

  const round = async (signal: AbortSignal) => {
    const now = clock.now();
    const items: [string, { looks: number }][] = [];
    for (const [item, entry] of due) {
      if (entry.at <= now) items.push([item, entry]);
      if (items.length === AT_ONCE) break;
    }
    await Promise.all(
      items.map(async ([item, { looks }]) => {
        const right = await look(item, signal).catch((error) => {
          log.debug({ item, error: errorText(error) }, 'could not look at what is served');
          return false;
        });
        const pause = PAUSES_MS[looks + 1];
        if (right || pause === undefined) due.delete(item);
        else due.set(item, { at: clock.now() + pause, looks: looks + 1 });
        if (!right && pause === undefined)
          log.warn({ item, publisher: deps.publisher }, 'what is served is not what was delivered');
      }),
    );
    return items.length;
  };

  const add = (item: string, at: number) => {
    if (due.size < MOST_WAITING) due.set(item, { at, looks: 0 });
  };

  return {
    delivered(items) {
      for (const item of items) add(item, clock.now() + PAUSES_MS[0]!);
      bell.ring();
    },
    async run(signal) {
      let allAt = clock.now() + ALL_EVERY_MS;
      try {
        for (;;) {
          while ((await round(signal)) > 0) signal.throwIfAborted();
          if (clock.now() >= allAt) {
            for await (const groups of allGroups(deps.sources)) for (const { id } of groups) add(id, clock.now());
            allAt = clock.now() + ALL_EVERY_MS;
          }
          const next = Math.min(allAt, ...[...due.values()].map(({ at }) => at));
          await bell.wait(Math.max(0, next - clock.now()), signal);
        }
      } catch (error) {
        if (!signal.aborted) throw error;
      }
    },
  };
}

/** Whether a client is shown the wanted certificate; true where nothing is wanted. */
async function lookAt(deps: ServingWatchDeps, group: RouteGroup, signal: AbortSignal): Promise<boolean> {
  const { store, publisher, clock } = deps;
  if (group.certificateId === undefined) return true;
  const [served] = await deps.certificates.find([group.certificateId]);
  if (served === undefined) return true;
  const serverName = isWildcard(group.host) ? `gatehouse-probe${group.host.slice(1)}` : group.host;
  const seen = await deps.probe.look(serverName, AbortSignal.any([signal, AbortSignal.timeout(LOOK_TIMEOUT_MS)])).then(
    (leaf) => ({ seen: sha256Hex(leaf), seen_problem: null }),
    (error) => ({ seen: null, seen_problem: errorText(error) }),
  );
  signal.throwIfAborted();
  await store.write((tx) => putSeen(tx, publisher, group.id, { ...seen, seen_at: clock.now() }));
  return seen.seen === served.fingerprint;
}
