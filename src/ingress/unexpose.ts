import type { MissionKind, StepContext, StepResult } from '../missions/index.ts';
import {
  deleteExposure,
  type ExposureRow,
  exposureById,
  exposuresOfMapping,
  exposuresOfVirtualIp,
  updateExposure,
} from '../store/exposures.ts';
import { type Db, recordChange } from '../store/index.ts';
import { deletePortMapping, deleteVirtualIp } from '../store/virtual-ips.ts';
import type { IngressDeps } from './deps.ts';
import { gatherWithdrawals, planUnexpose } from './plan-unexpose.ts';
import { composeUntilDelivered } from './step-proxy.ts';

/** Takes an exposure down in the reverse order, so that nothing leads to what is gone already. */
export function unexposeKind(deps: IngressDeps): MissionKind {
  return {
    kind: 'unexpose_service',
    description: 'withdraw a service from the internet: route, certificate, port mapping, virtual IP',
    async plan(input) {
      const [first, ...others] = await gatherWithdrawals(deps.store.db, input);
      return planUnexpose([first!, ...others]);
    },
    runners: [
      { step: 'proxy', run: (context) => removeRoutes(deps, context) },
      { step: 'certificate', run: (context) => releaseCertificates(deps, context) },
      { step: 'port_mapping', run: (context) => removeMappings(deps, context) },
      { step: 'virtual_ip', run: (context) => removeVirtualIps(deps, context) },
    ],
    result: ({ resolved }) => ({ status: 'withdrawn', hostname: resolved.hostname ?? null }),
  };
}

const idsOf = ({ plan }: StepContext): string[] => plan.resolved.exposure_ids as string[];

async function removeRoutes(deps: IngressDeps, context: StepContext): Promise<StepResult> {
  const { store, clock } = deps;
  await store.write(async (tx) => {
    const now = clock.now();
    for (const { id } of await left(tx, context)) {
      await updateExposure(tx, id, { status: 'withdrawing' }, now);
      await recordChange(tx, 'route', id, now);
    }
  });
  const publishers = new Set<string>();
  for (const id of idsOf(context))
    for (const publisher of await composeUntilDelivered(deps, id, context.signal)) publishers.add(publisher);
  return { outputs: { publishers: [...publishers] } };
}

async function releaseCertificates({ certificates }: IngressDeps, context: StepContext): Promise<StepResult> {
  for (const id of idsOf(context)) await certificates.release(`exposure:${id}`);
  return { outputs: {} };
}

async function removeMappings({ store, clock }: IngressDeps, context: StepContext): Promise<StepResult> {
  return store.write(async (tx) => {
    const now = clock.now();
    const removed: string[] = [];
    for (const { id, port_mapping_id: mappingId, network_id } of await left(tx, context)) {
      if (mappingId === null) continue;
      await updateExposure(tx, id, { port_mapping_id: null }, now);
      if ((await exposuresOfMapping(tx, mappingId)).length > 0) continue;
      await deletePortMapping(tx, mappingId);
      await recordChange(tx, 'network', network_id, now);
      removed.push(mappingId);
    }
    return { outputs: { removed } };
  });
}

async function removeVirtualIps({ store, clock }: IngressDeps, context: StepContext): Promise<StepResult> {
  return store.write(async (tx) => {
    const now = clock.now();
    const removed: string[] = [];
    for (const { id, virtual_ip_id: vipId, network_id } of await left(tx, context)) {
      await deleteExposure(tx, id);
      await recordChange(tx, 'route', id, now);
      if ((await exposuresOfVirtualIp(tx, vipId)).length > 0) continue;
      await deleteVirtualIp(tx, vipId);
      await recordChange(tx, 'network', network_id, now);
      removed.push(vipId);
    }
    return { outputs: { removed } };
  });
}

/** Those of the plan that are still there; a step that runs again finds fewer. */
async function left(tx: Db, context: StepContext): Promise<ExposureRow[]> {
  const rows = await Promise.all(idsOf(context).map((id) => exposureById(tx, id)));
  return rows.flatMap((row) => row ?? []);
}
