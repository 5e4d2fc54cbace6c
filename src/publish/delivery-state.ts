import type { FaultDetails } from '../base/index.ts';
import type { DeliveryRow } from '../store/deliveries.ts';
import { groupDigest, type RouteGroup } from './route-group.ts';
import type { ServedVersion } from './served-certificates.ts';

/** How far a route has come at one publisher. */
export interface DeliveryState {
  readonly publisher: string;
  /** `wanted`: not all of it is there yet. `delivered`: it is. `seen`: a client was shown the wanted certificate. */
  readonly state: 'wanted' | 'delivered' | 'seen';
  readonly at?: number;
  readonly problem?: string;
}

export interface PublisherTraits {
  readonly name: string;
  /** It takes no certificates: something there gets them itself. */
  readonly groupsOnly?: boolean;
}

/** Pure: what the record of deliveries says of a group and the certificate that covers it. */
export function deliveryState(
  publisher: PublisherTraits,
  group: RouteGroup,
  served: ServedVersion | undefined,
  rows: readonly DeliveryRow[],
): DeliveryState {
  const rowOf = (item: string) => rows.find((row) => row.item === item && row.publisher === publisher.name);
  const route = rowOf(group.id);
  const certificate = served && publisher.groupsOnly !== true ? rowOf(served.id) : undefined;
  const problem = problemOf(route) ?? problemOf(certificate);
  const answer = (state: DeliveryState['state'], at: number | null | undefined, why = problem): DeliveryState => ({
    publisher: publisher.name,
    state,
    ...(typeof at === 'number' && { at }),
    ...(why !== undefined && { problem: why }),
  });
  if (route?.delivered !== groupDigest(group)) return answer('wanted', undefined);
  const certificateIsThere =
    publisher.groupsOnly === true || served === undefined || certificate?.delivered === served.version;
  if (!certificateIsThere) return answer('wanted', undefined);
  const deliveredAt = Math.max(route.delivered_at ?? 0, certificate?.delivered_at ?? 0);
  if (served === undefined || route.seen_at === null || route.seen_at < deliveredAt)
    return answer('delivered', deliveredAt);
  if (route.seen === served.fingerprint) return answer('seen', route.seen_at);
  return answer(
    'delivered',
    deliveredAt,
    problem ?? route.seen_problem ?? `it shows another certificate (${route.seen?.slice(0, 16)})`,
  );
}

function problemOf(row: DeliveryRow | undefined): string | undefined {
  if (row === undefined || row.problem === null) return undefined;
  const { detail, advice } = JSON.parse(row.problem) as FaultDetails;
  return advice === undefined ? detail : `${detail}; ${advice}`;
}
