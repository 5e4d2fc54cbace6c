import type { Db } from '../store/index.ts';
import { approvalsOf, type MissionRow, missionById, takeMission } from '../store/missions.ts';
import { type ApprovalPolicy, areEnough } from './policy.ts';
import { approverOf } from './standing.ts';

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
  const approvals = (await approvalsOf(tx, id)).filter(({ plan_digest }) => plan_digest === before.plan_digest);
  if (!areEnough(before, approvals.map(approverOf), policy)) return undefined;
  const fence = await takeMission(tx, id, runner, now, until);
  const row = fence === undefined ? undefined : await missionById(tx, id);
  return row === undefined || fence === undefined ? undefined : { [proof]: true, row, fence };
}
