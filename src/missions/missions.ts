import { type Clock, Fault, faultOf, type Logger, newId } from '../base/index.ts';
import { type Db, recordChange, type Store } from '../store/index.ts';
import {
  appendMissionEvent,
  approvalsOf,
  changeMission,
  deleteApprovals,
  insertApproval,
  insertMission,
  listMissions,
  type MissionRow,
  type MissionStatus,
  missionById,
  missionEvents,
  type Standing,
} from '../store/missions.ts';
import type { MissionKind, MissionPlan } from './kind.ts';
import { planDifferences, planDigest } from './plan-digest.ts';
import { type ApprovalPolicy, decideApproval, over, statusAt } from './policy.ts';
import { approverOf } from './standing.ts';
import { type MissionView, missionView, planOf } from './view.ts';

export interface MissionsDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
  readonly kinds: readonly MissionKind[];
  readonly policy: ApprovalPolicy;
  /** Called when there is something to run. */
  readonly wake: () => void;
}

export interface MissionEventView {
  readonly seq: number;
  readonly at: number;
  readonly step: string;
  readonly state: string;
  readonly detail: string;
}

/** Plans that run only after approval. */
export interface Missions {
  /** Checks the inputs and throws a `Fault` with every problem; nothing runs before approval. */
  propose(kind: string, inputs: Readonly<Record<string, unknown>>, asker: Standing): Promise<MissionView>;
  list(
    filter: { statuses?: readonly MissionStatus[] },
    page: { before?: string; limit: number },
  ): Promise<MissionView[]>;
  get(id: string): Promise<MissionView | undefined>;
  /** Plans again, and throws a `Fault` (`plan_changed`) when that gives another plan; two presses are one run. */
  approve(id: string, by: Standing): Promise<MissionView>;
  reject(id: string, by: Standing, reason: string): Promise<MissionView>;
  events(id: string, after: number, limit: number): Promise<MissionEventView[]>;
  readonly kinds: readonly Pick<MissionKind, 'kind' | 'description'>[];
}

export function createMissions(deps: MissionsDeps): Missions {
  const { store, clock, policy } = deps;
  const view = async (id: string) => missionView(store.db, await found(store.db, id), clock.now());
  return {
    kinds: deps.kinds,
    async propose(kind, inputs, asker) {
      const plan = await kindOf(deps, kind).plan(inputs);
      const row = await store.write(async (tx) => {
        const now = clock.now();
        const row = proposal(kind, plan, asker, policy, now);
        await insertMission(tx, row);
        await note(tx, row.id, now, 'proposed', `${asker.name} asked for it`);
        return row;
      });
      return missionView(store.db, row, clock.now());
    },
    async list(filter, page) {
      const rows = await listMissions(store.db, filter, page);
      return Promise.all(rows.map((row) => missionView(store.db, row, clock.now())));
    },
    async get(id) {
      const row = await missionById(store.db, id);
      return row && missionView(store.db, row, clock.now());
    },
    async approve(id, by) {
      await approve(deps, id, by);
      return view(id);
    },
    async reject(id, by, reason) {
      await store.write(async (tx) => {
        const now = clock.now();
        const row = await found(tx, id);
        const status = statusAt(row, now);
        if (status === 'rejected') return;
        const change = {
          status: 'rejected',
          rejected_by: by.actor,
          rejected_by_name: by.name,
          reject_reason: reason.slice(0, 1000),
        } as const;
        if (status !== 'proposed' || !(await changeMission(tx, id, ['proposed'], change, now)))
          throw over(id, status, 'rejected');
        await note(
          tx,
          id,
          now,
          'rejected',
          `${by.name} rejected it${reason === '' ? '' : `: ${reason.slice(0, 1000)}`}`,
        );
      });
      return view(id);
    },
    async events(id, after, limit) {
      const rows = await missionEvents(store.db, id, after, limit);
      return rows.map(({ seq, at, step, state, detail }) => ({ seq, at, step, state, detail }));
    },
  };
}

async function approve(deps: MissionsDeps, id: string, by: Standing): Promise<void> {
  const { store, clock, policy } = deps;
  const before = await found(store.db, id);
  const approvers = (await approvalsOf(store.db, id)).map(approverOf);
  // Whoever pressed a moment earlier may have begun the run, and then what is planned now is no longer the question.
  const isApproved = (row: MissionRow) => decideApproval(row, approvers, by, policy, clock.now()).kind === 'already';
  if (isApproved(before)) return;
  const plan = await planAgain(deps, before).catch(async (error: unknown) => {
    if (isApproved(await found(store.db, id))) return undefined;
    throw error;
  });
  if (plan === undefined) return;
  const digest = planDigest(plan);
  if (digest !== before.plan_digest) {
    if (!(await replacePlan(deps, before, plan, digest)) && isApproved(await found(store.db, id))) return;
    throw planChanged(before, plan);
  }
  const approved = await store.write(async (tx) => {
    const now = clock.now();
    const row = await found(tx, id);
    const sofar = (await approvalsOf(tx, id)).map(approverOf);
    const decision = decideApproval(row, sofar, by, policy, now);
    if (decision.kind === 'already') return false;
    if (row.plan_digest !== digest) throw planChanged(row, planOf(row));
    const approval = { mission_id: id, by_actor: by.actor, approver: JSON.stringify(by), plan_digest: digest, at: now };
    await insertApproval(tx, approval);
    // The one transition to `approved`: of two presses at once, one finds it proposed.
    if (!decision.enough || !(await changeMission(tx, id, ['proposed'], { status: 'approved' }, now))) {
      await note(tx, id, now, 'proposed', `${by.name} approved it; another approval is needed`);
      return false;
    }
    await note(tx, id, now, 'approved', `${by.name} approved it`);
    return true;
  });
  if (approved) deps.wake();
}

async function planAgain(deps: MissionsDeps, row: MissionRow): Promise<MissionPlan> {
  try {
    return await kindOf(deps, row.kind).plan(planOf(row).inputs);
  } catch (error) {
    const { details } = faultOf(error);
    if (details.party === 'us') throw error;
    throw new Fault({
      ...details,
      detail: `it cannot be done as things are now: ${details.detail}`,
      status: 409,
      advice: details.advice ?? 'mend that and approve again, or reject it and propose another',
    });
  }
}

/** The new plan takes the old one's place, and has to be approved anew; false when it was decided on meanwhile. */
async function replacePlan(
  deps: MissionsDeps,
  before: MissionRow,
  plan: MissionPlan,
  digest: string,
): Promise<boolean> {
  return deps.store.write(async (tx) => {
    const now = deps.clock.now();
    const change = { plan: JSON.stringify(plan), plan_digest: digest, warnings: JSON.stringify(plan.warnings) };
    if (!(await changeMission(tx, before.id, ['proposed'], change, now))) return false;
    await deleteApprovals(tx, before.id);
    await note(tx, before.id, now, 'proposed', `the plan changed: ${planDifferences(planOf(before), plan).join('; ')}`);
    return true;
  });
}

function planChanged(before: MissionRow, plan: MissionPlan): Fault {
  return new Fault({
    code: 'plan_changed',
    detail: `the plan is not the one that was shown: ${planDifferences(planOf(before), plan).join('; ')}`,
    party: 'client',
    retry: 'never',
    status: 409,
    advice: 'look at the new plan, and approve it if it is what you want; nothing was done',
  });
}

function proposal(kind: string, plan: MissionPlan, asker: Standing, policy: ApprovalPolicy, now: number): MissionRow {
  return {
    id: newId('msn', now),
    kind,
    title: plan.title,
    status: 'proposed',
    inputs: JSON.stringify(plan.inputs),
    plan: JSON.stringify(plan),
    plan_digest: planDigest(plan),
    warnings: JSON.stringify(plan.warnings),
    result: null,
    problem: null,
    attempts: 0,
    asked_by: asker.actor,
    asker: JSON.stringify(asker),
    approvals_needed: policy.approvals,
    rejected_by: null,
    rejected_by_name: null,
    reject_reason: null,
    expires_at: now + policy.expiresAfter,
    runner: null,
    runner_until: null,
    fence: 0,
    created_at: now,
    updated_at: now,
  };
}

async function note(tx: Db, id: string, at: number, state: string, detail: string): Promise<void> {
  await appendMissionEvent(tx, { mission_id: id, at, step: 'mission', state, detail });
  await recordChange(tx, 'mission', id, at);
}

async function found(db: Db, id: string): Promise<MissionRow> {
  const row = await missionById(db, id);
  if (row !== undefined) return row;
  throw new Fault({
    code: 'mission_not_found',
    detail: `there is no mission ${id.slice(0, 100)}`,
    party: 'client',
    retry: 'never',
    status: 404,
    advice: 'gatehouse missions list',
  });
}

function kindOf(deps: MissionsDeps, kind: string): MissionKind {
  const found = deps.kinds.find((one) => one.kind === kind);
  if (found !== undefined) return found;
  throw new Fault({
    code: 'unknown_kind',
    detail: `there is no kind of mission ${JSON.stringify(kind.slice(0, 100))}; there are ${deps.kinds.map((one) => one.kind).join(', ')}`,
    party: 'client',
    retry: 'never',
    status: 422,
    field: 'kind',
  });
}
