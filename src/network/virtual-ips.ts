import { createProblems, newId, type Problems, readInput } from '../base/index.ts';
import { exposuresOfVirtualIp } from '../store/exposures.ts';
import { type Db, recordChange } from '../store/index.ts';
import { findNetwork, type NetworkRow } from '../store/networks.ts';
import { findPeer } from '../store/peers.ts';
import {
  deleteVirtualIp,
  findVirtualIp,
  insertVirtualIp,
  listVirtualIps,
  portMappingsOfNetwork,
  type VirtualIpRow,
  virtualIpById,
} from '../store/virtual-ips.ts';
import { type Collection, type Document, inUse, missing, time } from './collection.ts';
import { NAME_RULE, type NetworkDeps } from './deps.ts';
import { overlayAddresses } from './peers.ts';
import { parseHostCidrs } from './vip-cidr.ts';

/** Addresses that front services. Never without a holder. */
export function createVirtualIps({ store, clock }: NetworkDeps): Collection {
  return {
    async list({ after, limit, network }) {
      const networkId = network === undefined ? undefined : (await findNetwork(store.db, network))?.id;
      if (network !== undefined && networkId === undefined) throw missing('network', network);
      const page = { limit, ...(after !== undefined && { after }) };
      const rows = await listVirtualIps(store.db, { ...(networkId !== undefined && { networkId }) }, page);
      return rows.map(virtualIpDocument);
    },
    async get(id) {
      const row = await virtualIpById(store.db, id);
      return row && virtualIpDocument(row);
    },
    async create(input) {
      const problems = createProblems();
      const draft = await parseVirtualIp(store.db, input, problems);
      problems.throwIfAny();
      return store.write(async (tx) => {
        const now = clock.now();
        const row: VirtualIpRow = { id: newId('vip', now), ...draft!, created_at: now, updated_at: now };
        await insertVirtualIp(tx, row);
        await recordChange(tx, 'network', row.network_id, now);
        return virtualIpDocument(row);
      });
    },
    remove: (id) =>
      store.write(async (tx) => {
        const row = await virtualIpById(tx, id);
        if (row === undefined) throw missing('virtual IP', id);
        const exposures = (await exposuresOfVirtualIp(tx, id)).map(({ hostname }) => `the exposure of ${hostname}`);
        const mappings = (await portMappingsOfNetwork(tx, row.network_id))
          .filter((mapping) => mapping.target_virtual_ip_id === id)
          .map((mapping) => `the port mapping ${mapping.listen_port}/${mapping.protocol}`);
        if (exposures.length + mappings.length > 0)
          throw inUse('virtual IP', row.name, [...exposures, ...mappings], 'withdraw those first: gatehouse unexpose');
        await deleteVirtualIp(tx, id);
        await recordChange(tx, 'network', row.network_id, clock.now());
      }),
  };
}

async function parseVirtualIp(db: Db, input: Readonly<Record<string, unknown>>, problems: Problems) {
  const read = readInput(input, problems);
  const networkReference = read.text('network_id', { required: true });
  const name = read.text('name', { ...NAME_RULE, required: true });
  const cidr = read.texts('vip_cidr', 4, true)?.join(', ');
  const holderReference = read.text('holder_peer_id');
  read.refuseOthers();
  if (holderReference === undefined)
    problems.add(
      'holder_peer_id',
      'required',
      'a virtual IP with no holder fronts nothing: holder_peer_id is required',
    );
  const network = networkReference === undefined ? undefined : await findNetwork(db, networkReference);
  if (networkReference !== undefined && network === undefined)
    problems.add('network_id', 'network_not_found', `there is no network ${networkReference}`);
  if (network === undefined) return undefined;
  const holder = holderReference === undefined ? undefined : await findPeer(db, network.id, holderReference);
  if (holderReference !== undefined && holder === undefined)
    problems.add('holder_peer_id', 'peer_not_found', `the network ${network.name} has no peer ${holderReference}`);
  if (name !== undefined && (await findVirtualIp(db, network.id, name)) !== undefined)
    problems.add('name', 'taken', `the network ${network.name} has a virtual IP ${name} already`);
  const addresses = cidr === undefined ? undefined : await virtualAddresses(db, network, cidr, problems);
  if (name === undefined || holder === undefined || addresses === undefined) return undefined;
  return { network_id: network.id, name, ...addresses, holder_peer_id: holder.id };
}

/** The address or addresses of a `vip_cidr`, free and in the network; undefined when something is wrong with them. */
export async function virtualAddresses(
  db: Db,
  network: NetworkRow,
  vipCidr: string,
  problems: Problems,
): Promise<{ ipv6: string | null; ipv4: string | null } | undefined> {
  const before = problems.found.length;
  const parsed = parseHostCidrs(network, vipCidr, problems);
  if (parsed === undefined) return undefined;
  const inside = createProblems();
  const addresses = await overlayAddresses(
    db,
    // In a network without an IPv4 range any /32 may be chosen: it is routed to its holder.
    network.ipv4 === null && parsed.ipv4 !== undefined ? { ...network, ipv4: `${parsed.ipv4}/32` } : network,
    { ipv6: parsed.ipv6, ipv4: parsed.ipv4 },
    inside,
  );
  for (const { code, detail, advice } of inside.found) problems.add('vip_cidr', code, detail, advice);
  return problems.found.length === before ? addresses : undefined;
}

export function virtualIpDocument(row: VirtualIpRow): Document {
  return {
    id: row.id,
    network_id: row.network_id,
    name: row.name,
    vip_cidr: [row.ipv6 && `${row.ipv6}/128`, row.ipv4 && `${row.ipv4}/32`].filter(Boolean).join(', '),
    ipv6: row.ipv6,
    ipv4: row.ipv4,
    holder_peer_id: row.holder_peer_id,
    created_at: time(row.created_at),
    updated_at: time(row.updated_at),
  };
}
