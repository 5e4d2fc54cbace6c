import type { Generated } from 'kysely';
import type { Db } from './store.ts';

/** SPEC's words, exactly. */
export type MissionStatus = 'proposed' | 'approved' | 'rejected' | 'running' | 'succeeded' | 'failed' | 'expired';
export type StepState = 'started' | 'done' | 'failed';

/**
 * Who asked, approved or rejected, as far as it can be told who that is. `persons` are names for one person, of which
 * any that two standings share makes them the same one; `makers` are who made the token, and who made theirs, nearest
 * first, each with the time at which the token of that step was made.
 */
export interface Standing {
  /** As in the audit log. */
  readonly actor: string;
  /** What people call it. */
  readonly name: string;
  readonly persons: readonly string[];
  readonly makers: readonly { readonly persons: readonly string[]; readonly at: number }[];
}

export interface MissionTables {
  /** A plan that runs only after approval. `inputs`, `plan`, `warnings`, `result`, `problem` are JSON. */
  mission: {
    id: string;
    kind: string;
    title: string;
    status: MissionStatus;
    inputs: string;
    plan: string;
    /** SHA-256 of the plan; what was approved is what runs. */
    plan_digest: string;
    warnings: string;
    result: string | null;
    problem: string | null;
    attempts: number;
    asked_by: string;
    /** JSON: `Standing` of who asked; null in rows from before it was kept, as below. */
    asker: string | null;
    approvals_needed: number;
    rejected_by: string | null;
    rejected_by_name: string | null;
    reject_reason: string | null;
    /** When an unapproved proposal ends. */
    expires_at: number;
    /** The runner that has it, and until when; another may take it over after that. Each taking counts up `fence`. */
    runner: string | null;
    runner_until: number | null;
    fence: number;
    created_at: number;
    updated_at: number;
  };
  mission_approval: { mission_id: string; by_actor: string; approver: string | null; plan_digest: string; at: number };
  /** What a step made, as JSON in `outputs`; the record from which a run goes on after a crash. */
  mission_step: {
    mission_id: string;
    step: string;
    state: StepState;
    attempts: number;
    outputs: string;
    problem: string | null;
    started_at: number;
    finished_at: number | null;
  };
  mission_event: {
    seq: Generated<number>;
    mission_id: string;
    at: number;
    step: string;
    state: string;
    detail: string;
  };
}

export type MissionRow = MissionTables['mission'];
export type MissionStepRow = MissionTables['mission_step'];
export type MissionApprovalRow = MissionTables['mission_approval'];
export interface MissionEventRow {
  readonly seq: number;
  readonly mission_id: string;
  readonly at: number;
  readonly step: string;
  readonly state: string;
  readonly detail: string;
}

export async function missionById(db: Db, id: string): Promise<MissionRow | undefined> {
  return db.selectFrom('mission').selectAll().where('id', '=', id).executeTakeFirst();
}

export async function insertMission(tx: Db, row: MissionRow): Promise<void> {
  await tx.insertInto('mission').values(row).execute();
}

/** Changes it if it is in one of the statuses `from`; whether it was. */
export async function changeMission(
  tx: Db,
  id: string,
  from: readonly MissionStatus[],
  change: Partial<MissionRow>,
  now: number,
): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('mission')
    .set({ ...change, updated_at: now })
    .where('id', '=', id)
    .where('status', 'in', [...from])
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** Gives the mission to `runner`, unless another has it still; answers the fence to write under. */
export async function takeMission(
  tx: Db,
  id: string,
  runner: string,
  now: number,
  until: number,
): Promise<number | undefined> {
  const row = await tx
    .updateTable('mission')
    .set((e) => ({ runner, runner_until: until, fence: e('fence', '+', 1), status: 'running', updated_at: now }))
    .where('id', '=', id)
    .where('status', 'in', ['approved', 'running'])
    .where((e) => e.or([e('runner_until', 'is', null), e('runner_until', '<=', now)]))
    .returning('fence')
    .executeTakeFirst();
  return row?.fence;
}

/** Changes a running mission, if `fence` is still the newest; whether it was. */
export async function changeRunning(
  tx: Db,
  id: string,
  fence: number,
  change: Partial<MissionRow>,
  now: number,
): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('mission')
    .set({ ...change, updated_at: now })
    .where('id', '=', id)
    .where('status', '=', 'running')
    .where('fence', '=', fence)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** Newest first; ids sort by creation. */
export async function listMissions(
  db: Db,
  filter: { statuses?: readonly MissionStatus[] },
  page: { before?: string; limit: number },
): Promise<MissionRow[]> {
  let query = db.selectFrom('mission').selectAll().orderBy('id', 'desc').limit(page.limit);
  if (page.before !== undefined) query = query.where('id', '<', page.before);
  if (filter.statuses !== undefined) query = query.where('status', 'in', [...filter.statuses]);
  return query.execute();
}

/** Approved ones that nobody runs, and running ones whose runner has gone. */
export async function missionsToRun(db: Db, now: number, limit: number): Promise<MissionRow[]> {
  return db
    .selectFrom('mission')
    .selectAll()
    .where('status', 'in', ['approved', 'running'])
    .where((e) => e.or([e('runner_until', 'is', null), e('runner_until', '<=', now)]))
    .orderBy('id')
    .limit(limit)
    .execute();
}

/** Proposals whose time is over. */
export async function missionsToExpire(db: Db, now: number, limit: number): Promise<MissionRow[]> {
  return db
    .selectFrom('mission')
    .selectAll()
    .where('status', '=', 'proposed')
    .where('expires_at', '<=', now)
    .limit(limit)
    .execute();
}

export async function approvalsOf(db: Db, missionId: string): Promise<MissionApprovalRow[]> {
  return db.selectFrom('mission_approval').selectAll().where('mission_id', '=', missionId).orderBy('at').execute();
}

export async function insertApproval(tx: Db, row: MissionApprovalRow): Promise<void> {
  await tx
    .insertInto('mission_approval')
    .values(row)
    .onConflict((conflict) => conflict.columns(['mission_id', 'by_actor']).doNothing())
    .execute();
}

export async function deleteApprovals(tx: Db, missionId: string): Promise<void> {
  await tx.deleteFrom('mission_approval').where('mission_id', '=', missionId).execute();
}

export async function stepsOf(db: Db, missionId: string): Promise<MissionStepRow[]> {
  return db
    .selectFrom('mission_step')
    .selectAll()
    .where('mission_id', '=', missionId)
    .orderBy('started_at')
    .orderBy('step')
    .execute();
}

/** Adds or replaces. */
export async function putStep(tx: Db, row: MissionStepRow): Promise<void> {
  const { mission_id: _mission, step: _step, ...rest } = row;
  await tx
    .insertInto('mission_step')
    .values(row)
    .onConflict((conflict) => conflict.columns(['mission_id', 'step']).doUpdateSet(rest))
    .execute();
}

export async function appendMissionEvent(tx: Db, event: Omit<MissionEventRow, 'seq'>): Promise<void> {
  await tx.insertInto('mission_event').values(event).execute();
}

/** Oldest first, those after `after`. */
export async function missionEvents(
  db: Db,
  missionId: string,
  after: number,
  limit: number,
): Promise<MissionEventRow[]> {
  return db
    .selectFrom('mission_event')
    .selectAll()
    .where('mission_id', '=', missionId)
    .where('seq', '>', after)
    .orderBy('seq')
    .limit(limit)
    .execute();
}
