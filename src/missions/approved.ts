import type { Db } from '../store/index.ts';
import { approvalsOf, type MissionRow, missionById, takeMission } from '../store/missions.ts';
import type { ApprovalPolicy } from './policy.ts';

const proof: unique symbol = Symbol('approved');

/**
 * A mission that enough people approved, in the hands of one runner. The executor takes nothing else, and only
 * `takeApproved` makes it, so nothing runs without an approval, whichever surface asked for it.
 */
export interface ApprovedMission {
  readonly [proof]: true;
  readonly row: MissionRow;
  /** Writes under an older fence are refused. */
  readonly fence: number;
}

/** Takes an approved mission, or one whose runner has gone; undefined when another has it, or approvals lack. */
export async function takeApproved(
  tx: Db,
  id: string,
  runner: string,
  policy: ApprovalPolicy,
  now: number,
  until: number,
): Promise<ApprovedMission | undefined> {
  const before = await missionById(tx, id);
  if (before === undefined) return undefined;
  const approvers = new Set(
    (await approvalsOf(tx, id))
      .filter(({ plan_digest }) => plan_digest === before.plan_digest)
      .map(({ by_actor }) => by_actor),
  );
  if (approvers.size < Math.max(1, before.approvals_needed)) return undefined;
  const askerAlone = approvers.size === 1 && approvers.has(before.asked_by);
  if (askerAlone && !policy.askerMayApprove) return undefined;
  const fence = await takeMission(tx, id, runner, now, until);
  const row = fence === undefined ? undefined : await missionById(tx, id);
  return row === undefined || fence === undefined ? undefined : { [proof]: true, row, fence };
}
