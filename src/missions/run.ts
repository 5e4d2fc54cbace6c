import { type Clock, type FaultDetails, faultOf, type Logger } from '../base/index.ts';
import type { Store } from '../store/index.ts';
import { type MissionStepRow, stepsOf } from '../store/missions.ts';
import type { ApprovedMission } from './approved.ts';
import type { JsonObject, MissionKind, MissionPlan, StepResult } from './kind.ts';
import { createRunRecord, MissionLost, problemText, type RunRecord } from './record.ts';
import { planOf } from './view.ts';

export interface RunDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
  /** Called at every boundary between a step's work and its record; a test ends the world there. */
  readonly checkpoint?: (where: string) => Promise<void>;
}

// A step that failed by bad luck is tried again this often within one run, and then a person looks at it.
const MOST_ATTEMPTS = 3;
const PAUSE_MS = [2_000, 10_000];
/** A runner that is not heard of for so long has gone, and another takes its mission over. */
export const LEASE_MS = 20_000;

/**
 * Runs an approved mission to its end: each step is recorded before and after, and one that was recorded as done is not
 * run again. Throws nothing but what ends the program; a failure is the mission's own status.
 */
export async function runMission(
  deps: RunDeps,
  kind: MissionKind,
  mission: ApprovedMission,
  signal: AbortSignal,
): Promise<void> {
  const lost = new AbortController();
  const record = createRunRecord(deps.store, deps.clock, mission);
  const stopped = AbortSignal.any([signal, lost.signal]);
  const heart = beat(deps, record, lost, stopped);
  try {
    await runSteps(deps, kind, mission, record, stopped);
  } catch (error) {
    // The mission is another runner's now, or is picked up again after the next start.
    if (!(error instanceof MissionLost) && !stopped.aborted) throw error;
  } finally {
    lost.abort();
    await heart;
    // A program that ends in order gives the mission back, so that the next one need not wait.
    if (signal.aborted) await record.keep(deps.clock.now()).catch(() => {});
  }
}

async function beat(deps: RunDeps, record: RunRecord, lost: AbortController, stopped: AbortSignal): Promise<void> {
  try {
    for (;;) {
      await deps.clock.sleep(LEASE_MS / 3, stopped);
      await record.keep(deps.clock.now() + LEASE_MS);
    }
  } catch (error) {
    if (error instanceof MissionLost) lost.abort(error);
  }
}

async function runSteps(
  deps: RunDeps,
  kind: MissionKind,
  mission: ApprovedMission,
  record: RunRecord,
  signal: AbortSignal,
): Promise<void> {
  const plan = planOf(mission.row);
  const recorded = await stepsOf(deps.store.db, mission.row.id);
  const made: Record<string, JsonObject> = {};
  const warnings = new Set(plan.warnings);
  for (const { step } of plan.steps) {
    const before = recorded.find((row) => row.step === step);
    const result =
      before?.state === 'done'
        ? (JSON.parse(before.outputs) as StepResult)
        : await runStep(deps, kind, { mission, plan, step, made: { ...made }, before, record, signal });
    if ('problem' in result) {
      await kind.failed?.({ missionId: mission.row.id, plan, made }, result.problem);
      const change = { status: 'failed', problem: JSON.stringify(result.problem), attempts: mission.row.attempts + 1 };
      await record.finish({ ...change, status: 'failed' }, `${step}: ${problemText(result.problem)}`);
      return;
    }
    made[step] = result.outputs;
    for (const warning of result.warnings ?? []) warnings.add(warning);
  }
  const result = { ...kind.result(plan, made), steps_completed: plan.steps.map(({ step }) => step) };
  await deps.checkpoint?.('before:end');
  await record.finish(
    { status: 'succeeded', result: JSON.stringify(result), warnings: JSON.stringify([...warnings]), problem: null },
    'every step is done',
  );
}

interface StepRun {
  readonly mission: ApprovedMission;
  readonly plan: MissionPlan;
  readonly step: string;
  readonly made: Readonly<Record<string, JsonObject>>;
  readonly before: MissionStepRow | undefined;
  readonly record: RunRecord;
  readonly signal: AbortSignal;
}

async function runStep(
  deps: RunDeps,
  kind: MissionKind,
  run: StepRun,
): Promise<StepResult | { readonly problem: FaultDetails }> {
  const { step, record, signal, plan, made, mission } = run;
  const runner = kind.runners.find((one) => one.step === step);
  if (runner === undefined) return { problem: unknownStep(step) };
  const started = run.before?.started_at ?? deps.clock.now();
  for (let attempt = 1; ; attempt++) {
    const row = { step, attempts: (run.before?.attempts ?? 0) + attempt, started_at: started };
    await deps.checkpoint?.(`before:${step}`);
    await record.step({ ...row, state: 'started', outputs: '{}', problem: null, finished_at: null }, 'begins');
    try {
      const note = (detail: string) => record.note(step, detail);
      const result = await runner.run({ missionId: mission.row.id, plan, made, note, signal });
      await deps.checkpoint?.(`between:${step}`);
      const done = { ...row, state: 'done', outputs: JSON.stringify(result), problem: null } as const;
      await record.step({ ...done, finished_at: deps.clock.now() }, 'done');
      await deps.checkpoint?.(`after:${step}`);
      return result;
    } catch (error) {
      if (error instanceof MissionLost || signal.aborted || isEnd(error)) throw error;
      const problem = faultOf(error).details;
      if (problem.party === 'us') deps.log.error({ mission: mission.row.id, step, err: error }, 'a step failed');
      const failed = { ...row, state: 'failed', outputs: '{}', problem: JSON.stringify(problem) } as const;
      await record.step({ ...failed, finished_at: deps.clock.now() }, problemText(problem));
      if (problem.retry !== 'backoff' || attempt >= MOST_ATTEMPTS) return { problem };
      await deps.clock.sleep(PAUSE_MS[attempt - 1] ?? 0, signal);
    }
  }
}

/** What a checkpoint throws to end the world, as a crash would: nothing is recorded after it. */
export class EndOfTheWorld extends Error {
  override readonly name = 'EndOfTheWorld';
}
const isEnd = (error: unknown): boolean => error instanceof EndOfTheWorld;

const unknownStep = (step: string): FaultDetails => ({
  code: 'unknown_step',
  detail: `this version does not know the step ${step}`,
  party: 'us',
  retry: 'never',
  advice: 'propose the same again: it is planned anew with the steps that this version knows',
});
