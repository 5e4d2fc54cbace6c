import { newId } from '../base/index.ts';
import type { StepContext, StepResult } from '../missions/index.ts';
import { exposuresOfMapping, updateExposure } from '../store/exposures.ts';
import { recordChange } from '../store/index.ts';
import { findPortMapping, insertPortMapping, type PortMappingRow, updatePortMapping } from '../store/virtual-ips.ts';
import type { IngressDeps } from './deps.ts';
import type { MappingTarget } from './plan-mapping.ts';
import { madeId, resolvedExposure } from './resolved.ts';
import { gone } from './step-virtual-ip.ts';

/** Makes, takes or turns the hub's mapping of the public port. A port is mapped once, so a second run finds the first's. */
export async function makePortMapping({ store, clock }: IngressDeps, context: StepContext): Promise<StepResult> {
  const wanted = resolvedExposure(context.plan);
  const exposureId = madeId(context, 'virtual_ip', 'exposure_id');
  const target = columns(wanted.mapping_target, madeId(context, 'virtual_ip', 'virtual_ip_id'));
  return store.write(async (tx) => {
    const now = clock.now();
    const found = await findPortMapping(tx, wanted.hub_peer_id, wanted.listen_port, 'tcp');
    const id = found?.id ?? newId('map', now);
    if (found === undefined)
      await insertPortMapping(tx, {
        id,
        network_id: wanted.network_id,
        hub_peer_id: wanted.hub_peer_id,
        listen_port: wanted.listen_port,
        protocol: 'tcp',
        ...target,
        ...OPEN_TO_ALL,
        opened: 1,
        created_at: now,
        updated_at: now,
      });
    else if (!same(found, target)) {
      if (found.id !== wanted.mapping_id)
        throw gone(`the port ${wanted.listen_port} of the hub was mapped to something else since`);
      await updatePortMapping(tx, id, { ...target, opened: 1 }, now);
      for (const other of await exposuresOfMapping(tx, id)) await recordChange(tx, 'route', other.id, now);
    } else if (found.opened === 0) await updatePortMapping(tx, id, { opened: 1 }, now);
    await updateExposure(tx, exposureId, { port_mapping_id: id }, now);
    await recordChange(tx, 'network', wanted.network_id, now);
    await recordChange(tx, 'route', exposureId, now);
    return { outputs: { port_mapping_id: id } };
  });
}

type TargetColumns = Pick<PortMappingRow, 'target_virtual_ip_id' | 'target_peer_id' | 'target_port'>;

const OPEN_TO_ALL = {
  new_per_second: null,
  most_connections: null,
  sources_ipv6: '[]',
  sources_ipv4: '[]',
  preserve_source: 0,
} as const;

function columns(target: MappingTarget, virtualIpId: string): TargetColumns {
  if (target.kind === 'peer')
    return { target_virtual_ip_id: null, target_peer_id: target.id, target_port: target.port };
  const id = target.kind === 'service' ? virtualIpId : target.id;
  return { target_virtual_ip_id: id, target_peer_id: null, target_port: target.port };
}

const same = (row: TargetColumns, target: TargetColumns): boolean =>
  row.target_virtual_ip_id === target.target_virtual_ip_id &&
  row.target_peer_id === target.target_peer_id &&
  row.target_port === target.target_port;
