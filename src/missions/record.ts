import type { Clock, FaultDetails } from '../base/index.ts';
import { type Db, recordChange, type Store } from '../store/index.ts';
import { appendMissionEvent, changeRunning, type MissionRow, type MissionStepRow, putStep } from '../store/missions.ts';
import type { ApprovedMission } from './approved.ts';

/** Thrown when another runner has taken the mission over; whoever sees it stops and writes nothing. */
export class MissionLost extends Error {
  override readonly name = 'MissionLost';
}

/** The run's own notes, each durable when its promise resolves, and refused to a runner that has lost the mission. */
export interface RunRecord {
  step(row: Omit<MissionStepRow, 'mission_id'>, detail: string): Promise<void>;
  note(step: string, detail: string): Promise<void>;
  keep(until: number): Promise<void>;
  finish(change: Partial<MissionRow> & { status: 'succeeded' | 'failed' }, detail: string): Promise<void>;
}

export function createRunRecord(store: Store, clock: Clock, { row, fence }: ApprovedMission): RunRecord {
  const fenced = (change: Partial<MissionRow>, more: (tx: Db, now: number) => Promise<void>) =>
    store.write(async (tx) => {
      const now = clock.now();
      if (!(await changeRunning(tx, row.id, fence, change, now))) throw new MissionLost(row.id);
      await more(tx, now);
    });
  const event = (tx: Db, at: number, step: string, state: string, detail: string) =>
    appendMissionEvent(tx, { mission_id: row.id, at, step, state, detail: detail.slice(0, 4000) });
  return {
    step: (step, detail) =>
      fenced({}, async (tx, now) => {
        await putStep(tx, { mission_id: row.id, ...step });
        await event(tx, now, step.step, step.state, detail);
        await recordChange(tx, 'mission', row.id, now);
      }),
    note: (step, detail) => fenced({}, (tx, now) => event(tx, now, step, 'note', detail)),
    keep: (until) => fenced({ runner_until: until }, async () => {}),
    finish: (change, detail) =>
      fenced({ ...change, runner: null, runner_until: null }, async (tx, now) => {
        await event(tx, now, 'mission', change.status, detail);
        await recordChange(tx, 'mission', row.id, now);
      }),
  };
}

export const problemText = ({ detail, advice }: FaultDetails): string =>
  advice === undefined ? detail : `${detail} — ${advice}`;
