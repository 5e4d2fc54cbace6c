import type { MissionPlan, StepContext } from '../missions/index.ts';
import type { ExposureRow } from '../store/exposures.ts';
import type { ChallengeType } from './inputs.ts';
import type { MappingTarget } from './plan-mapping.ts';

/** What a plan to expose resolved, as its steps read it. */
export interface ResolvedExposure {
  readonly hostname: string;
  readonly protocol: ExposureRow['protocol'];
  readonly termination: ExposureRow['termination'];
  readonly network_id: string;
  readonly hub_peer_id: string;
  readonly holder_peer_id: string;
  readonly listen_port: number;
  readonly backend_port: number;
  readonly virtual_ip_id: string | null;
  readonly ipv6: string | null;
  readonly ipv4: string | null;
  readonly mapping_id: string | null;
  readonly mapping_target: MappingTarget;
  readonly issuer: string | null;
  readonly challenge: ChallengeType | null;
  readonly dns_credential_id: string | null;
  readonly certificate_id: string | null;
}

// Plans are written by planExpose of this version or of one before it, and by nothing else.
export const resolvedExposure = (plan: MissionPlan): ResolvedExposure => plan.resolved as unknown as ResolvedExposure;

/** An id that an earlier step made. */
export function madeId(context: Pick<StepContext, 'made'>, step: string, key: string): string {
  const id = context.made[step]?.[key];
  if (typeof id !== 'string') throw new Error(`the step ${step} recorded no ${key}`);
  return id;
}
