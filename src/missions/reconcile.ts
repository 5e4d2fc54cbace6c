import { newId } from '../base/index.ts';
import { recordChange } from '../store/index.ts';
import { appendMissionEvent, changeMission, missionsToExpire, missionsToRun } from '../store/missions.ts';
import { takeApproved } from './approved.ts';
import type { MissionsDeps } from './missions.ts';
import { LEASE_MS, type RunDeps, runMission } from './run.ts';

export interface MissionRunner {
  /** Runs until the signal; `wake` looks for work at once. */
  start(signal: AbortSignal): Promise<void>;
  wake(): void;
  /** One look: expires what is over, and runs what is approved to its end. */
  reconcile(signal: AbortSignal): Promise<void>;
}

const LOOK_EVERY_MS = 15_000;
const MOST_AT_ONCE = 8;

type ReconcileDeps = Omit<MissionsDeps, 'wake'> & Pick<RunDeps, 'checkpoint'>;

/** The only caller of the executor: what it runs, it has taken as approved. */
export function createMissionRunner(deps: ReconcileDeps): MissionRunner {
  const { store, clock, log } = deps;
  const runner = newId('run', clock.now());
  let bell = new AbortController();

  const wake = () => bell.abort();
  const complain = (error: unknown) => log.error({ err: error }, 'a mission could not be run; trying again');

  async function expire(now: number): Promise<void> {
    for (const { id } of await missionsToExpire(store.db, now, 100))
      await store.write(async (tx) => {
        if (!(await changeMission(tx, id, ['proposed'], { status: 'expired' }, now))) return;
        const detail = 'nobody approved it in time';
        await appendMissionEvent(tx, { mission_id: id, at: now, step: 'mission', state: 'expired', detail });
        await recordChange(tx, 'mission', id, now);
      });
  }

  async function runOne(id: string, kindName: string, signal: AbortSignal): Promise<void> {
    const kind = deps.kinds.find((one) => one.kind === kindName);
    if (kind === undefined) return log.error({ mission: id, kind: kindName }, 'no such kind of mission');
    const now = clock.now();
    const approved = await store.write((tx) => takeApproved(tx, id, runner, deps.policy, now, now + LEASE_MS));
    if (approved === undefined) return;
    log.info({ mission: id, kind: kindName, by: approved.row.asked_by }, 'mission begins');
    await runMission(deps, kind, approved, signal);
  }

  const running = new Set<Promise<void>>();

  /** Expires what is over and begins what is approved. One that takes long keeps no other waiting. */
  async function begin(signal: AbortSignal): Promise<Promise<void>[]> {
    const now = clock.now();
    await expire(now);
    const free = MOST_AT_ONCE - running.size;
    const due = free <= 0 ? [] : await missionsToRun(store.db, now, free);
    return due.map(({ id, kind }) => {
      const run = runOne(id, kind, signal).finally(() => running.delete(run));
      running.add(run);
      return run;
    });
  }

  async function reconcile(signal: AbortSignal): Promise<void> {
    const ends = await Promise.allSettled(await begin(signal));
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
  }

  return {
    reconcile,
    wake,
    async start(signal) {
      while (!signal.aborted) {
        bell = new AbortController();
        try {
          for (const run of await begin(signal)) run.catch(complain).finally(wake);
        } catch (error) {
          complain(error);
        }
        await clock.sleep(LOOK_EVERY_MS, AbortSignal.any([signal, bell.signal])).catch(() => {});
      }
      await Promise.allSettled(running);
    },
  };
}
