import type { FaultDetails } from '../base/index.ts';
import type { Db } from '../store/index.ts';
import {
  approvalsOf,
  type MissionApprovalRow,
  type MissionRow,
  type MissionStatus,
  type MissionStepRow,
  stepsOf,
} from '../store/missions.ts';
import type { JsonObject, MissionPlan, PlannedStep } from './kind.ts';
import { askerOf, statusAt } from './policy.ts';
import { approverOf } from './standing.ts';

/** A mission as every surface shows it. */
export interface MissionView {
  readonly id: string;
  readonly kind: string;
  readonly title: string;
  readonly status: MissionStatus;
  readonly inputs: JsonObject;
  readonly plan: readonly PlannedStep[];
  readonly stepsCompleted: readonly string[];
  readonly warnings: readonly string[];
  readonly result?: JsonObject;
  readonly lastProblem?: FaultDetails;
  readonly attempts: number;
  readonly summary: string;
  readonly askedBy: string;
  readonly askedByName: string;
  readonly approvals: readonly { readonly by: string; readonly name: string; readonly at: number }[];
  readonly approvalsNeeded: number;
  readonly rejectedBy?: string;
  readonly rejectedByName?: string;
  readonly expiresAt: number;
  readonly createdAt: number;
  readonly updatedAt: number;
}

export const planOf = (row: MissionRow): MissionPlan => JSON.parse(row.plan) as MissionPlan;

export async function missionView(db: Db, row: MissionRow, now: number): Promise<MissionView> {
  const [approvals, steps] = [await approvalsOf(db, row.id), await stepsOf(db, row.id)];
  const plan = planOf(row);
  const status = statusAt(row, now);
  const lastProblem = row.problem === null ? undefined : (JSON.parse(row.problem) as FaultDetails);
  return {
    id: row.id,
    kind: row.kind,
    title: row.title,
    status,
    inputs: plan.inputs,
    plan: plan.steps,
    stepsCompleted: plan.steps.flatMap(({ step }) => (isDone(steps, step) ? step : [])),
    warnings: JSON.parse(row.warnings) as string[],
    ...(row.result !== null && { result: JSON.parse(row.result) as JsonObject }),
    ...(lastProblem !== undefined && { lastProblem }),
    attempts: row.attempts,
    summary: summary(row, status, approvals, steps, lastProblem),
    askedBy: row.asked_by,
    askedByName: askerOf(row).name,
    approvals: approvals.map((one) => ({ by: one.by_actor, name: approverOf(one).name, at: one.at })),
    approvalsNeeded: row.approvals_needed,
    ...(row.rejected_by !== null && {
      rejectedBy: row.rejected_by,
      rejectedByName: row.rejected_by_name ?? row.rejected_by,
    }),
    expiresAt: row.expires_at,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

const isDone = (steps: readonly MissionStepRow[], name: string): boolean =>
  steps.some(({ step, state }) => step === name && state === 'done');

function summary(
  row: MissionRow,
  status: MissionStatus,
  approvals: readonly MissionApprovalRow[],
  steps: readonly MissionStepRow[],
  problem: FaultDetails | undefined,
): string {
  const lacking = row.approvals_needed - approvals.length;
  const now = steps.find(({ state }) => state === 'started')?.step;
  const failed = steps.find(({ state }) => state === 'failed')?.step;
  const words: Record<MissionStatus, () => string> = {
    proposed: () =>
      `Nothing was done yet. It waits for ${lacking === 1 ? 'an approval' : `${lacking} approvals`}: gatehouse missions approve ${row.id}.`,
    approved: () => 'Approved; it starts now.',
    running: () => (now === undefined ? 'It runs.' : `It runs: ${now}.`),
    rejected: () =>
      `${row.rejected_by} rejected it${row.reject_reason ? `: ${row.reject_reason}` : ''}. Nothing was done.`,
    expired: () => 'Nobody approved it in time. Nothing was done.',
    succeeded: () => 'Every step is done.',
    failed: () =>
      `The step ${failed ?? '(none)'} failed: ${problem?.detail ?? 'unknown'}. ` +
      'What was made before it stays, and is used again when the same is proposed again.',
  };
  return words[status]();
}
