import { Fault } from '../base/index.ts';
import type { MissionRow, MissionStatus, Standing } from '../store/missions.ts';
import { bareStanding, isVouchedFor, type Tie, tieBetween } from './standing.ts';

export interface ApprovalPolicy {
  /** How many people must approve. */
  readonly approvals: 1 | 2;
  /** Whether the approval of the one who asked counts as the only one. Two approvals are always of two people. */
  readonly askerMayApprove: boolean;
  /** Whether a token cannot approve, whosever it is. */
  readonly onlyOpenId?: boolean;
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

type Asked = Pick<
  MissionRow,
  'id' | 'status' | 'expires_at' | 'asked_by' | 'asker' | 'approvals_needed' | 'created_at'
>;

/** What one more approval does. Throws a `Fault` when it may not be. */
export function decideApproval(
  mission: Asked,
  approvals: readonly Standing[],
  by: Standing,
  policy: ApprovalPolicy,
  now: number,
): ApprovalDecision {
  const status = statusAt(mission, now);
  if (status === 'approved' || status === 'running' || status === 'succeeded') return { kind: 'already' };
  if (status !== 'proposed') throw over(mission.id, status, 'approved');
  if (policy.onlyOpenId && !isVouchedFor(by)) throw notVouchedFor(mission.id);
  const others = approvals.filter(({ actor }) => actor !== by.actor);
  const asker = askerOf(mission);
  const own = tieBetween(asker, by, mission.created_at);
  const alone = mission.approvals_needed === 1 ? !policy.askerMayApprove : others.some((one) => isTied(mission, one));
  if (own !== undefined && alone) throw tied(mission.id, own, `${asker.name}, who asked for this mission`);
  if (mission.approvals_needed > 1)
    for (const other of others) {
      const tie = tieBetween(other, by, mission.created_at);
      if (tie !== undefined) throw tied(mission.id, tie, `${other.name}, who approved this mission`);
    }
  return { kind: 'count', enough: areEnough(mission, [...others, by], policy) };
}

/** Whether these approvals, each of which was let through, are all that it takes. */
export function areEnough(mission: Asked, approvals: readonly Standing[], policy: ApprovalPolicy): boolean {
  if (approvals.length < Math.max(1, mission.approvals_needed)) return false;
  if (policy.onlyOpenId && !approvals.every(isVouchedFor)) return false;
  if (mission.approvals_needed === 1 && policy.askerMayApprove) return true;
  return approvals.some((one) => !isTied(mission, one));
}

export const askerOf = ({ asker, asked_by }: Pick<MissionRow, 'asker' | 'asked_by'>): Standing =>
  asker === null ? bareStanding(asked_by) : (JSON.parse(asker) as Standing);

const isTied = (mission: Asked, one: Standing): boolean =>
  tieBetween(askerOf(mission), one, mission.created_at) !== undefined;

/** `whom`: the one with whom the approver may be the same, and what that one did. */
function tied(id: string, tie: Tie, whom: string): Fault {
  const words: Record<Tie, string> = {
    same: `you are ${whom}, by this token or another`,
    made: `your token and that of ${whom}, come from one another, so both can be one person's`,
    made_since: `your token was made after this mission was proposed, by somebody who can also use the token of ${whom}`,
  };
  return new Fault({
    code: 'own_mission',
    detail: `${words[tie]}; somebody else must approve it`,
    party: 'client',
    retry: 'never',
    status: 403,
    advice: `ask another person with the permission missions.approve: gatehouse missions approve ${id}; whose token is whose: gatehouse tokens list`,
  });
}

const notVouchedFor = (id: string): Fault =>
  new Fault({
    code: 'not_vouched_for',
    detail: 'only people that the OpenID provider vouches for approve missions here, and you use a token',
    party: 'client',
    retry: 'never',
    status: 403,
    advice: `sign in to the console through the provider and approve at /app/missions/${id} (missions.only_openid_approves of the configuration)`,
  });

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
