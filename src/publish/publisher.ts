import {
  type Clock,
  createBell,
  errorText,
  type Fault,
  type FaultDetails,
  faultOf,
  type Logger,
} from '../base/index.ts';
import { type ChangeFollower, followChanges, type Store } from '../store/index.ts';
import { gather } from './gather.ts';
import { planRetry } from './plan-retry.ts';
import type { PublishTarget } from './publish-target.ts';
import { recordDeliveries, recordedDeliveries } from './record-deliveries.ts';
import { allGroups, groupDigest, type RouteSource } from './route-group.ts';
import { allServedVersions, type ServedCertificates } from './served-certificates.ts';

export interface PublisherDeps {
  readonly store: Store;
  readonly sources: readonly RouteSource[];
  readonly certificates: ServedCertificates;
  readonly target: PublishTarget;
  readonly clock: Clock;
  readonly log: Logger;
  /** Told of every group that was delivered or withdrawn, and of every certificate, so that it can be looked at. */
  readonly onDelivered?: (items: readonly string[]) => void;
}

export interface PublisherState {
  readonly name: string;
  /** Number of the last change of the store that has arrived there; undefined before the first comparison ended. */
  readonly position: number | undefined;
  /** When the place last had everything that was wanted. */
  readonly upToDateAt: number | undefined;
  /** Items that are still to be delivered, those that wait for another attempt among them. */
  readonly pending: number;
  readonly lastProblem: FaultDetails | undefined;
}

/** Keeps one place in step with the store. */
export interface Publisher {
  readonly name: string;
  /** Compares everything once, then follows the change log until the signal aborts. Never rejects. */
  run(signal: AbortSignal): Promise<void>;
  /** Looks at the change log now. */
  poke(): void;
  /** Looks at what is there and mends what differs. Throws when the place cannot be reached. */
  reconcileAll(): Promise<void>;
  state(): PublisherState;
}

/** Items in one delivery; bounds memory, and how long others wait for the store. */
const PER_DELIVERY = 200;
/** Other processes' commits ring no bell here, so the log is looked at this often anyway. */
const LOOK_EVERY_MS = 2_000;
/** Somebody else may have changed the place itself. */
const SWEEP_EVERY_MS = 3_600_000;

export function createPublisher(deps: PublisherDeps): Publisher {
  const { store, target, clock, log } = deps;
  const bell = createBell(clock);
  const pending = new Set<string>();
  /** Items whose delivery failed, with the number of attempts. */
  const waiting = new Map<string, number>();
  let failedRounds = 0;
  let position: number | undefined;
  let upToDateAt: number | undefined;
  let lastProblem: FaultDetails | undefined;

  const readChanges = async (follower: ChangeFollower) => {
    for (;;) {
      const changes = await follower.next();
      if (changes.length === 0) return;
      for (const change of changes) {
        if (change.kind === 'certificate') pending.add(change.key);
        for (const source of deps.sources) for (const id of await source.touchedBy(change)) pending.add(id);
      }
    }
  };

  const deliverPending = async () => {
    while (pending.size > 0) {
      const items = [...pending].slice(0, PER_DELIVERY);
      const { delivery, wanted, failed } = await gather(deps, items);
      const altered = delivery.groups.length + delivery.certificates.length + delivery.gone.length > 0;
      const refused = altered ? await target.deliver(delivery) : new Map<string, Fault>();
      for (const [item, fault] of refused) failed.set(item, fault);
      for (const item of items) {
        pending.delete(item);
        const fault = failed.get(item);
        if (fault === undefined || fault.details.retry === 'never') waiting.delete(item);
        else waiting.set(item, (waiting.get(item) ?? 0) + 1);
        if (fault !== undefined) lastProblem = fault.details;
      }
      await recordDeliveries(deps, target.name, items, wanted, failed);
      deps.onDelivered?.(items.filter((item) => !failed.has(item)));
    }
    if (waiting.size === 0) upToDateAt = clock.now();
  };

  const compareAll = async () => {
    const there = new Set(await target.inventory());
    const recorded = await recordedDeliveries(store, target.name);
    const compare = (item: string, token: string) => {
      there.delete(item);
      if (target.holds(item) !== token || recorded.get(item) !== token) pending.add(item);
      recorded.delete(item);
    };
    for await (const groups of allGroups(deps.sources))
      for (const group of groups) compare(group.id, groupDigest(group));
    if (target.groupsOnly !== true)
      for await (const versions of allServedVersions(deps.certificates))
        for (const { id, version } of versions) compare(id, version);
    for (const item of [...there, ...recorded.keys()]) pending.add(item);
    await deliverPending();
    target.upToDate?.();
  };

  const round = async (follower: ChangeFollower) => {
    try {
      await readChanges(follower);
      await deliverPending();
      position = follower.position();
      failedRounds = 0;
      if (waiting.size === 0) lastProblem = undefined;
    } catch (error) {
      failedRounds++;
      lastProblem = faultOf(error).details;
      log.warn({ publisher: target.name, attempts: failedRounds, error: errorText(error) }, 'could not publish');
    }
  };

  // A comparison that somebody asks for and the loop's own round take turns.
  let turn: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const result = turn.then(work, work);
    turn = result.catch(() => {});
    return result;
  };
  const reconcileAll = () => inTurn(compareAll);

  const untilReached = async (signal: AbortSignal) => {
    for (let attempt = 1; ; attempt++)
      try {
        return await reconcileAll();
      } catch (error) {
        lastProblem = faultOf(error).details;
        log.warn({ publisher: target.name, attempt, error: errorText(error) }, 'could not publish');
        await clock.sleep(planRetry(attempt), signal);
      }
  };

  const follow = async (signal: AbortSignal) => {
    // The position comes before the comparison, so what changes meanwhile is met again.
    const follower = await followChanges(store, clock);
    await untilReached(signal);
    position = follower.position();
    log.info({ publisher: target.name }, 'everything is published');
    let sweepAt = clock.now() + SWEEP_EVERY_MS;
    for (;;) {
      const attempts = Math.max(failedRounds, ...(waiting.size > 0 ? [Math.min(...waiting.values())] : []));
      await bell.wait(attempts > 0 ? planRetry(attempts) : LOOK_EVERY_MS, signal);
      for (const item of waiting.keys()) pending.add(item);
      await inTurn(() => round(follower));
      if (clock.now() >= sweepAt) {
        await untilReached(signal);
        sweepAt = clock.now() + SWEEP_EVERY_MS;
      }
    }
  };

  return {
    name: target.name,
    reconcileAll,
    poke: () => bell.ring(),
    state: () => ({ name: target.name, position, upToDateAt, pending: pending.size + waiting.size, lastProblem }),
    async run(signal) {
      const stop = store.onChange(() => bell.ring());
      try {
        for (;;)
          await follow(signal).catch((error) => {
            signal.throwIfAborted();
            // Only a defect comes here; beginning again from a full comparison is always right.
            log.error({ publisher: target.name, error: errorText(error) }, 'publishing begins again');
            return clock.sleep(planRetry(5), signal);
          });
      } catch (error) {
        if (!signal.aborted) throw error;
      } finally {
        stop();
      }
    },
  };
}
