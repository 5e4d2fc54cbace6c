import { Fault, newId } from '../base/index.ts';
import type { StepContext, StepResult } from '../missions/index.ts';
import { findExposure, insertExposure, updateExposure } from '../store/exposures.ts';
import { type Db, recordChange } from '../store/index.ts';
import { peerById } from '../store/peers.ts';
import {
  findVirtualIp,
  insertVirtualIp,
  updateVirtualIp,
  type VirtualIpRow,
  virtualIpsOfNetwork,
} from '../store/virtual-ips.ts';
import type { IngressDeps } from './deps.ts';
import { virtualIpName } from './facts.ts';
import { type ResolvedExposure, resolvedExposure } from './resolved.ts';

/** Makes or takes the virtual IP `expose-<hostname>`, and notes the exposure, in one transaction. */
export async function makeVirtualIp({ store, clock }: IngressDeps, context: StepContext): Promise<StepResult> {
  const wanted = resolvedExposure(context.plan);
  return store.write(async (tx) => {
    const now = clock.now();
    const vip = await findOrMake(tx, wanted, now);
    const row = {
      status: 'exposing',
      termination: wanted.termination,
      network_id: wanted.network_id,
      hub_peer_id: wanted.hub_peer_id,
      listen_port: wanted.listen_port,
      backend_port: wanted.backend_port,
      target_peer_id: wanted.holder_peer_id,
      virtual_ip_id: vip.id,
      issuer: wanted.issuer,
      mission_id: context.missionId,
    } as const;
    const before = await findExposure(tx, wanted.hostname, wanted.protocol);
    const id = before?.id ?? newId('exp', now);
    if (before === undefined)
      await insertExposure(tx, {
        id,
        hostname: wanted.hostname,
        protocol: wanted.protocol,
        ...row,
        port_mapping_id: null,
        certificate_id: null,
        created_at: now,
        updated_at: now,
      });
    else await updateExposure(tx, id, { ...row, ...(wanted.issuer === null && { certificate_id: null }) }, now);
    await recordChange(tx, 'network', wanted.network_id, now);
    await recordChange(tx, 'route', id, now);
    return { outputs: { virtual_ip_id: vip.id, exposure_id: id } };
  });
}

async function findOrMake(tx: Db, wanted: ResolvedExposure, now: number): Promise<VirtualIpRow> {
  const name = virtualIpName(wanted.hostname);
  const holder = await peerById(tx, wanted.holder_peer_id);
  if (holder?.network_id !== wanted.network_id)
    throw gone(`the peer that was to hold ${name} is no longer in the network`);
  const found = await findVirtualIp(tx, wanted.network_id, name);
  if (found !== undefined) {
    if (found.holder_peer_id !== holder.id) await updateVirtualIp(tx, found.id, { holder_peer_id: holder.id }, now);
    return { ...found, holder_peer_id: holder.id };
  }
  const taken = (await virtualIpsOfNetwork(tx, wanted.network_id)).find(
    ({ ipv6, ipv4 }) => (ipv6 !== null && ipv6 === wanted.ipv6) || (ipv4 !== null && ipv4 === wanted.ipv4),
  );
  if (taken !== undefined) throw gone(`the address of ${name} was given to ${taken.name} since`);
  const row: VirtualIpRow = {
    id: newId('vip', now),
    network_id: wanted.network_id,
    name,
    ipv6: wanted.ipv6,
    ipv4: wanted.ipv4,
    holder_peer_id: holder.id,
    created_at: now,
    updated_at: now,
  };
  await insertVirtualIp(tx, row);
  return row;
}

/** Something that the plan stood on went away between approval and this step. */
export const gone = (detail: string): Fault =>
  new Fault({
    code: 'changed_since_approval',
    detail,
    party: 'operator',
    retry: 'never',
    status: 409,
    advice: 'propose the same again: it is planned from how things are now',
  });
