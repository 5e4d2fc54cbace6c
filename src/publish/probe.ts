import { type Clock, createBell, errorText, type Logger } from '../base/index.ts';
import { deliveriesOf, putSeen } from '../store/deliveries.ts';
import type { Store } from '../store/index.ts';
import { isWildcard } from '../x509/index.ts';
import { deriveFindings } from './findings.ts';
import { allGroups, findGroups, type RouteGroup, type RouteSource } from './route-group.ts';
import type { ServedCertificates } from './served-certificates.ts';
import type { Shown } from './shown.ts';

/** Looks at a data plane as a client does. Rejects in words. */
export interface ServingProbe {
  look(serverName: string, signal: AbortSignal): Promise<Shown>;
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
  readonly publisher: string;
  /** These were just delivered: groups, or certificates that cover some. */
  delivered(items: readonly string[]): void;
  /** Groups that were not right in any look for a while. */
  wrong(): readonly string[];
  /** Looks at what was delivered, several times with growing pauses while it differs, and at everything each hour. */
  run(signal: AbortSignal): Promise<void>;
}

const PAUSES_MS = [1_000, 3_000, 10_000, 30_000, 120_000];
/** A place may take some seconds to load what it was given. */
const CONFIRMED_AFTER_MS = 10_000;
const LOOK_TIMEOUT_MS = 5_000;
const AT_ONCE = 4;
const MOST_WAITING = 20_000;
const ALL_EVERY_MS = 3_600_000;
const FIRST_ALL_MS = 60_000;
/** Of the looks at everything: ten in a second at the most, so 20,000 names take half an hour. */
const PER_STEP = 10;
const STEP_MS = 1_000;

export function createServingWatch(deps: ServingWatchDeps): ServingWatch {
  const { clock, log, publisher } = deps;
  const bell = createBell(clock);
  /** Group or certificate -> when to look next, and how often it was looked at. */
  const due = new Map<string, { at: number; looks: number }>();
  /** Group -> the first and the last of the looks one after another in which it was not right. */
  const wrong = new Map<string, { from: number; to: number }>();
  const confirmed = ({ from, to }: { from: number; to: number }) => to - from >= CONFIRMED_AFTER_MS;

  const look = async (item: string, signal: AbortSignal): Promise<boolean> => {
    const covered = (await Promise.all(deps.sources.map((source) => source.coveredBy(item)))).flat();
    const groups = await findGroups(deps.sources, [item, ...covered]);
    if (groups.length === 0) wrong.delete(item);
    let right = true;
    for (const group of groups) {
      const problem = await lookAt(deps, group, signal);
      const before = wrong.get(group.id);
      const looks = { from: before?.from ?? clock.now(), to: clock.now() };
      if (problem === undefined) wrong.delete(group.id);
      else wrong.set(group.id, looks);
      if (problem !== undefined && confirmed(looks) && before !== undefined && !confirmed(before))
        log.warn({ name: group.host, publisher, problem }, 'what is served is not what was issued');
      right = problem === undefined && right;
    }
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
      }),
    );
    return items.length;
  };

  const add = (item: string, at: number) => {
    if (due.size < MOST_WAITING) due.set(item, { at, looks: 0 });
  };

  /** Works off what is due until `at`. */
  const workUntil = async (at: number, signal: AbortSignal) => {
    for (;;) {
      while ((await round(signal)) > 0) signal.throwIfAborted();
      if (clock.now() >= at) return;
      const next = Math.min(at, ...[...due.values()].map((entry) => entry.at));
      await bell.wait(Math.max(0, next - clock.now()), signal);
    }
  };

  const lookAtAll = async (signal: AbortSignal) => {
    for await (const groups of allGroups(deps.sources, PER_STEP)) {
      for (const { id } of groups) if (!due.has(id)) add(id, clock.now());
      await workUntil(clock.now() + STEP_MS, signal);
    }
  };

  return {
    publisher,
    delivered(items) {
      for (const item of items) add(item, clock.now() + PAUSES_MS[0]!);
      bell.ring();
    },
    wrong: () => [...wrong].flatMap(([id, looks]) => (confirmed(looks) ? [id] : [])),
    async run(signal) {
      try {
        for (let allAt = clock.now() + FIRST_ALL_MS; ; allAt = Math.max(clock.now(), allAt + ALL_EVERY_MS)) {
          await workUntil(allAt, signal);
          await lookAtAll(signal).catch((error) => {
            signal.throwIfAborted();
            log.warn({ publisher, error: errorText(error) }, 'could not look at everything that is served');
          });
        }
      } catch (error) {
        if (!signal.aborted) throw error;
      }
    },
  };
}

/** Notes what a client is shown; what is wrong with it, in words. Nothing is where nothing is wanted. */
async function lookAt(deps: ServingWatchDeps, group: RouteGroup, signal: AbortSignal): Promise<string | undefined> {
  const { store, publisher, clock, probe } = deps;
  if (group.certificateId === undefined) return undefined;
  const [issued] = await deps.certificates.find([group.certificateId]);
  if (issued === undefined) return undefined;
  const serverName = isWildcard(group.host) ? `gatehouse-probe${group.host.slice(1)}` : group.host;
  // A look counts for what was delivered before it began.
  const seen_at = clock.now();
  const seen = await probe.look(serverName, AbortSignal.any([signal, AbortSignal.timeout(LOOK_TIMEOUT_MS)])).then(
    (shown) => ({ seen: shown.fingerprint, seen_problem: null, seen_facts: JSON.stringify(shown) }),
    (error) => ({ seen: null, seen_problem: errorText(error), seen_facts: null }),
  );
  signal.throwIfAborted();
  await store.write((tx) => putSeen(tx, publisher, group.id, { ...seen, seen_at }));
  const rows = await deliveriesOf(store.db, [group.id, issued.id]);
  const rowOf = (item: string) => rows.find((row) => row.publisher === publisher && row.item === item);
  const look = rowOf(group.id);
  const [worst] = look === undefined ? [] : deriveFindings(issued, rowOf(issued.id), look, clock.now());
  if (worst !== undefined) return worst.detail;
  return seen.seen === issued.fingerprint ? undefined : 'what was issued is not there yet';
}
