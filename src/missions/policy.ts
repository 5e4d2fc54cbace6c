import { Fault } from '../base/index.ts';
import type { MissionRow, MissionStatus } from '../store/missions.ts';

export interface ApprovalPolicy {
  /** How many people must approve. */
  readonly approvals: 1 | 2;
  /** Whether the approval of the one who asked counts as the only one. Two approvals are always of two people. */
  readonly askerMayApprove: boolean;
  /** How long a proposal waits, ms. */
  readonly expiresAfter: number;
}

export const DEFAULT_POLICY: ApprovalPolicy = { approvals: 1, askerMayApprove: true, expiresAfter: 24 * 3_600_000 };

/** Where each status may lead. `running` leads to itself when another runner takes a mission over. */
export const TRANSITIONS: Record<MissionStatus, readonly MissionStatus[]> = {
  proposed: ['approved', 'rejected', 'expired'],
  approved: ['running'],
  running: ['running', 'succeeded', 'failed'],
  rejected: [],
  succeeded: [],
  failed: [],
  expired: [],
};

/** A proposal that nobody approved in time is expired, whether or not anything has noted it yet. */
export function statusAt(mission: Pick<MissionRow, 'status' | 'expires_at'>, now: number): MissionStatus {
  return mission.status === 'proposed' && mission.expires_at <= now ? 'expired' : mission.status;
}

export type ApprovalDecision =
  /** Approved before; another press of the button changes nothing. */
  { readonly kind: 'already' } | { readonly kind: 'count'; readonly enough: boolean };

/** What one more approval does. Throws a `Fault` when it may not be. */
export function decideApproval(
  mission: Pick<MissionRow, 'id' | 'status' | 'expires_at' | 'asked_by' | 'approvals_needed'>,
  approvers: readonly string[],
  by: string,
  policy: ApprovalPolicy,
  now: number,
): ApprovalDecision {
  const status = statusAt(mission, now);
  if (status === 'approved' || status === 'running' || status === 'succeeded') return { kind: 'already' };
  if (status !== 'proposed') throw over(mission.id, status, 'approved');
  const all = new Set([...approvers, by]);
  const others = [...all].some((approver) => approver !== mission.asked_by);
  if (by === mission.asked_by && mission.approvals_needed === 1 && !policy.askerMayApprove)
    throw new Fault({
      code: 'own_mission',
      detail: 'you asked for this mission, so somebody else must approve it',
      party: 'client',
      retry: 'never',
      status: 403,
      advice: `ask somebody else with the permission missions.approve: gatehouse missions approve ${mission.id}`,
    });
  const enough = all.size >= mission.approvals_needed && (others || policy.askerMayApprove);
  return { kind: 'count', enough: mission.approvals_needed > 1 ? enough && others : enough };
}

export function over(id: string, status: MissionStatus, verb: string): Fault {
  const advice: Partial<Record<MissionStatus, string>> = {
    failed: 'propose it again with the same inputs: what it made is reused',
    expired: 'propose it again',
    rejected: 'propose it again, with what was asked for',
  };
  return new Fault({
    code: 'mission_over',
    detail: `the mission ${id} is ${status}, so it cannot be ${verb}`,
    party: 'client',
    retry: 'never',
    status: 409,
    ...(advice[status] !== undefined && { advice: advice[status] }),
  });
}
