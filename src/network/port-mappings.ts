import { createProblems, newId, type Problems, readInput } from '../base/index.ts';
import { exposuresOfMapping } from '../store/exposures.ts';
import { type Db, recordChange } from '../store/index.ts';
import { findNetwork } from '../store/networks.ts';
import { findPeer } from '../store/peers.ts';
import {
  deletePortMapping,
  findPortMapping,
  findVirtualIp,
  insertPortMapping,
  listPortMappings,
  type PortMappingRow,
  portMappingById,
} from '../store/virtual-ips.ts';
import { cidrText, type Family, parseCidr, withoutCovered } from './address.ts';
import { type Collection, type Document, inUse, missing, time } from './collection.ts';
import type { NetworkDeps } from './deps.ts';
import { PORT } from './peers.ts';

const MOST_SOURCES = 1000;

/** What hubs forward. A mapping made here is closed until a mission that opens it was approved. */
export function createPortMappings({ store, clock }: NetworkDeps): Collection {
  return {
    async list({ after, limit, network }) {
      const networkId = network === undefined ? undefined : (await findNetwork(store.db, network))?.id;
      if (network !== undefined && networkId === undefined) throw missing('network', network);
      const page = { limit, ...(after !== undefined && { after }) };
      const rows = await listPortMappings(store.db, { ...(networkId !== undefined && { networkId }) }, page);
      return rows.map(portMappingDocument);
    },
    async get(id) {
      const row = await portMappingById(store.db, id);
      return row && portMappingDocument(row);
    },
    async create(input) {
      const problems = createProblems();
      const draft = await parsePortMapping(store.db, input, problems);
      problems.throwIfAny();
      return store.write(async (tx) => {
        const now = clock.now();
        const row: PortMappingRow = { id: newId('map', now), ...draft!, opened: 0, created_at: now, updated_at: now };
        await insertPortMapping(tx, row);
        await recordChange(tx, 'network', row.network_id, now);
        return portMappingDocument(row);
      });
    },
    remove: (id) =>
      store.write(async (tx) => {
        const row = await portMappingById(tx, id);
        if (row === undefined) throw missing('port mapping', id);
        const name = `${row.listen_port}/${row.protocol}`;
        const exposures = (await exposuresOfMapping(tx, id)).map(({ hostname }) => `the exposure of ${hostname}`);
        if (exposures.length > 0)
          throw inUse('port mapping', name, exposures, 'withdraw those first: gatehouse unexpose');
        if (row.opened === 1)
          throw inUse('port mapping', name, ['whoever uses it now: it is open'], 'propose close_port_mapping');
        await deletePortMapping(tx, id);
        await recordChange(tx, 'network', row.network_id, clock.now());
      }),
  };
}

type MappingDraft = Omit<PortMappingRow, 'id' | 'opened' | 'created_at' | 'updated_at'>;

async function parsePortMapping(
  db: Db,
  input: Readonly<Record<string, unknown>>,
  problems: Problems,
): Promise<MappingDraft | undefined> {
  const read = readInput(input, problems);
  const networkReference = read.text('network_id', { required: true });
  const hubReference = read.text('hub_peer_id', { required: true });
  const listenPort = read.integer('listen_port', { ...PORT, required: true });
  const protocol = read.choice('protocol', ['tcp', 'udp']) ?? 'tcp';
  const targetPort = read.integer('target_port', { ...PORT, required: true });
  const targetVip = read.text('target_virtual_ip_id');
  const targetPeer = read.text('target_peer_id');
  const newPerSecond = read.integer('new_per_second', { least: 1, most: 1_000_000 });
  const mostConnections = read.integer('most_connections', { least: 1, most: 1_000_000 });
  const preserve = read.flag('preserve_source') ?? false;
  const sources = {
    ipv6: readSources(read.texts('sources_ipv6', MOST_SOURCES), 'ipv6', problems),
    ipv4: readSources(read.texts('sources_ipv4', MOST_SOURCES), 'ipv4', problems),
  };
  read.refuseOthers();
  if ((targetVip === undefined) === (targetPeer === undefined))
    problems.add(
      'target_virtual_ip_id',
      'exactly_one',
      `exactly one of target_virtual_ip_id and target_peer_id is required; ${targetVip === undefined ? 'neither' : 'both'} was given`,
    );
  const network = networkReference === undefined ? undefined : await findNetwork(db, networkReference);
  if (networkReference !== undefined && network === undefined)
    problems.add('network_id', 'network_not_found', `there is no network ${networkReference}`);
  if (network === undefined) return undefined;
  const hub = hubReference === undefined ? undefined : await findPeer(db, network.id, hubReference);
  if (hubReference !== undefined && hub === undefined)
    problems.add('hub_peer_id', 'peer_not_found', `the network ${network.name} has no peer ${hubReference}`);
  const vip = targetVip === undefined ? undefined : await findVirtualIp(db, network.id, targetVip);
  if (targetVip !== undefined && vip === undefined)
    problems.add('target_virtual_ip_id', 'virtual_ip_not_found', `${network.name} has no virtual IP ${targetVip}`);
  const peer = targetPeer === undefined ? undefined : await findPeer(db, network.id, targetPeer);
  if (targetPeer !== undefined && peer === undefined)
    problems.add('target_peer_id', 'peer_not_found', `the network ${network.name} has no peer ${targetPeer}`);
  if (hub === undefined || listenPort === undefined || targetPort === undefined) return undefined;
  if (hub.publicly_reachable === 0)
    problems.add('hub_peer_id', 'not_a_hub', `${hub.name} is not publicly reachable, so it is no hub`);
  if ((await findPortMapping(db, hub.id, listenPort, protocol)) !== undefined)
    problems.add('listen_port', 'taken', `${hub.name} forwards ${listenPort}/${protocol} already`);
  return {
    network_id: network.id,
    hub_peer_id: hub.id,
    listen_port: listenPort,
    protocol,
    target_virtual_ip_id: vip?.id ?? null,
    target_peer_id: peer?.id ?? null,
    target_port: targetPort,
    new_per_second: newPerSecond ?? null,
    most_connections: mostConnections ?? null,
    sources_ipv6: JSON.stringify(sources.ipv6),
    sources_ipv4: JSON.stringify(sources.ipv4),
    preserve_source: preserve ? 1 : 0,
  };
}

function readSources(texts: readonly string[] | undefined, family: Family, problems: Problems): string[] {
  const cidrs = (texts ?? []).flatMap((text) => {
    const cidr = parseCidr(text);
    if (cidr?.family === family) return cidr;
    problems.add(
      `sources_${family}`,
      'invalid',
      `${text.slice(0, 60)} is not an ${family === 'ipv6' ? 'IPv6' : 'IPv4'} range without bits behind its prefix`,
    );
    return [];
  });
  return withoutCovered(cidrs).map(cidrText);
}

export function portMappingDocument(row: PortMappingRow): Document {
  return {
    id: row.id,
    network_id: row.network_id,
    hub_peer_id: row.hub_peer_id,
    listen_port: row.listen_port,
    protocol: row.protocol,
    target_virtual_ip_id: row.target_virtual_ip_id,
    target_peer_id: row.target_peer_id,
    target_port: row.target_port,
    new_per_second: row.new_per_second,
    most_connections: row.most_connections,
    sources_ipv6: JSON.parse(row.sources_ipv6),
    sources_ipv4: JSON.parse(row.sources_ipv4),
    preserve_source: row.preserve_source === 1,
    opened: row.opened === 1,
    created_at: time(row.created_at),
    updated_at: time(row.updated_at),
  };
}
