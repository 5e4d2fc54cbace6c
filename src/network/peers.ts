import { createProblems, newId, type Problems, readInput } from '../base/index.ts';
import { type Db, recordChange } from '../store/index.ts';
import { findInstance, findNetwork, type NetworkRow } from '../store/networks.ts';
import {
  agentsOfPeers,
  deletePeer,
  findPeer,
  insertPeer,
  listPeers,
  type PeerAgentRow,
  type PeerRow,
  peerById,
  peerOfInstance,
  peersOfNetwork,
} from '../store/peers.ts';
import { portMappingsOfNetwork, virtualIpsOfHolder, virtualIpsOfNetwork } from '../store/virtual-ips.ts';
import { canonicalAddress, contains, type Family, parseCidr } from './address.ts';
import { type Collection, type Document, inUse, missing, time } from './collection.ts';
import { NAME_RULE, type NetworkDeps } from './deps.ts';
import { freeAddresses } from './networks.ts';

export const PORT = { least: 1, most: 65_535, what: 'a port' };
const ENDPOINT = /^(\[[0-9a-f:.]+\]|[a-z0-9.-]+):\d{1,5}$/i;

/** Members of networks. A peer that is publicly reachable is a hub. */
export function createPeers({ store, clock }: NetworkDeps): Collection {
  const documents = async (rows: readonly PeerRow[]): Promise<Document[]> => {
    const agents = await agentsOfPeers(
      store.db,
      rows.map(({ id }) => id),
    );
    return rows.map((row) =>
      peerDocument(
        row,
        agents.find((agent) => agent.peer_id === row.id),
      ),
    );
  };
  return {
    async list({ after, limit, network }) {
      const networkId = network === undefined ? undefined : (await findNetwork(store.db, network))?.id;
      if (network !== undefined && networkId === undefined) throw missing('network', network);
      const page = { limit, ...(after !== undefined && { after }) };
      return documents(await listPeers(store.db, { ...(networkId !== undefined && { networkId }) }, page));
    },
    async get(id) {
      const row = await peerById(store.db, id);
      return row && (await documents([row]))[0];
    },
    async create(input) {
      const problems = createProblems();
      const draft = await parsePeer(store.db, input, problems);
      problems.throwIfAny();
      const row = await store.write(async (tx) => {
        const now = clock.now();
        const row: PeerRow = { id: newId('peer', now), ...draft!, public_key: null, created_at: now, updated_at: now };
        await insertPeer(tx, row);
        await recordChange(tx, 'network', row.network_id, now);
        return row;
      });
      return peerDocument(row);
    },
    remove: (id) =>
      store.write(async (tx) => {
        const row = await peerById(tx, id);
        if (row === undefined) throw missing('peer', id);
        const held = (await virtualIpsOfHolder(tx, id)).map(({ name }) => `the virtual IP ${name}`);
        const mapped = (await portMappingsOfNetwork(tx, row.network_id))
          .filter((mapping) => mapping.hub_peer_id === id || mapping.target_peer_id === id)
          .map((mapping) => `the port mapping ${mapping.listen_port}/${mapping.protocol}`);
        if (held.length + mapped.length > 0)
          throw inUse('peer', row.name, [...held, ...mapped], 'withdraw or move those first');
        await deletePeer(tx, id);
        await recordChange(tx, 'network', row.network_id, clock.now());
      }),
  };
}

type PeerDraft = Omit<PeerRow, 'id' | 'public_key' | 'created_at' | 'updated_at'>;

async function parsePeer(
  db: Db,
  input: Readonly<Record<string, unknown>>,
  problems: Problems,
): Promise<PeerDraft | undefined> {
  const read = readInput(input, problems);
  const networkReference = read.text('network_id', { required: true });
  const name = read.text('name', { ...NAME_RULE, required: true });
  const instanceReference = read.text('instance_id');
  const reachable = read.flag('publicly_reachable') ?? false;
  const endpoint = read.text('endpoint', { pattern: ENDPOINT, what: 'host:port, or [address]:port' });
  const publicAddress = (field: 'public_ipv6' | 'public_ipv4', family: Family) => {
    const text = read.text(field);
    const found = text === undefined ? undefined : canonicalAddress(text);
    if (text === undefined || found?.family === family) return found?.address ?? null;
    problems.add(field, 'invalid', `${text} is not an ${family === 'ipv6' ? 'IPv6' : 'IPv4'} address`);
    return null;
  };
  const public_ipv6 = publicAddress('public_ipv6', 'ipv6');
  const public_ipv4 = publicAddress('public_ipv4', 'ipv4');
  const proxy = readProxy(read.object('proxy'), problems);
  const overlay = { ipv6: read.text('ipv6'), ipv4: read.text('ipv4') };
  read.refuseOthers();

  const network = networkReference === undefined ? undefined : await findNetwork(db, networkReference);
  if (networkReference !== undefined && network === undefined)
    problems.add('network_id', 'network_not_found', `there is no network ${networkReference}`);
  const instance = instanceReference === undefined ? undefined : await findInstance(db, instanceReference);
  if (instanceReference !== undefined && instance === undefined)
    problems.add('instance_id', 'instance_not_found', `there is no instance ${instanceReference}`);
  if (network === undefined || name === undefined) return undefined;
  const addresses = await overlayAddresses(db, network, overlay, problems);
  await checkFree(db, network, name, instance?.id, problems);
  return {
    network_id: network.id,
    instance_id: instance?.id ?? null,
    name,
    ipv6: addresses.ipv6,
    ipv4: addresses.ipv4,
    publicly_reachable: reachable ? 1 : 0,
    public_ipv6,
    public_ipv4,
    proxy_https_port: proxy.https ?? null,
    proxy_http_port: proxy.http ?? null,
    endpoint: endpoint ?? null,
  };
}

function readProxy(input: Readonly<Record<string, unknown>> | undefined, problems: Problems) {
  if (input === undefined) return {};
  const read = readInput(input, problems, 'proxy.');
  const https = read.integer('https_port', { ...PORT, required: true });
  const http = read.integer('http_port', PORT);
  read.refuseOthers();
  return { https, http };
}

async function checkFree(
  db: Db,
  network: NetworkRow,
  name: string,
  instanceId: string | undefined,
  problems: Problems,
): Promise<void> {
  if ((await findPeer(db, network.id, name)) !== undefined)
    problems.add('name', 'taken', `the network ${network.name} has a peer ${name} already`);
  const attached = instanceId === undefined ? undefined : await peerOfInstance(db, network.id, instanceId);
  if (attached !== undefined)
    problems.add('instance_id', 'taken', `the instance is in the network ${network.name} already, as ${attached.name}`);
}

/** The addresses that a person chose: in the network's range, and nobody else's. There is no allocator. */
export async function overlayAddresses(
  db: Db,
  network: NetworkRow,
  given: { ipv6: string | undefined; ipv4: string | undefined },
  problems: Problems,
): Promise<{ ipv6: string | null; ipv4: string | null }> {
  const free = await freeAddresses(db, network);
  const taken = [...(await peersOfNetwork(db, network.id)), ...(await virtualIpsOfNetwork(db, network.id))];
  const one = (family: Family): string | null => {
    const text = given[family];
    if (text === undefined) return null;
    const address = canonicalAddress(text);
    const range = network[family] === null ? undefined : parseCidr(network[family]);
    const advice = free[family] === null ? undefined : `${free[family]} is free`;
    if (address?.family !== family)
      problems.add(family, 'invalid', `${text} is not an ${family === 'ipv6' ? 'IPv6' : 'IPv4'} address`, advice);
    else if (range === undefined)
      problems.add(family, 'no_such_range', `the network ${network.name} has no ${family} range`);
    else if (!contains(range, { family, base: address.address, prefix: family === 'ipv6' ? 128 : 32 }))
      problems.add(family, 'outside_network', `${text} is not in ${network[family]}`, advice);
    else {
      const holder = taken.find((row) => row[family] === address.address);
      if (holder === undefined) return address.address;
      problems.add(family, 'taken', `${address.address} belongs to ${holder.name}`, advice);
    }
    return null;
  };
  const addresses = { ipv6: one('ipv6'), ipv4: one('ipv4') };
  if (given.ipv6 === undefined && given.ipv4 === undefined) {
    const choices = [free.ipv6, free.ipv4].filter((address) => address !== null).join(' and ');
    const field = network.ipv6 === null ? 'ipv4' : 'ipv6';
    problems.add(field, 'required', `an address in ${network.name} is required`, choices && `${choices} is free`);
  }
  return addresses;
}

export function peerDocument(row: PeerRow, agent?: PeerAgentRow): Document {
  return {
    id: row.id,
    network_id: row.network_id,
    instance_id: row.instance_id,
    name: row.name,
    ipv6: row.ipv6,
    ipv4: row.ipv4,
    publicly_reachable: row.publicly_reachable === 1,
    public_ipv6: row.public_ipv6,
    public_ipv4: row.public_ipv4,
    proxy: row.proxy_https_port === null ? null : { https_port: row.proxy_https_port, http_port: row.proxy_http_port },
    endpoint: row.endpoint,
    public_key: row.public_key,
    agent:
      agent === undefined
        ? null
        : {
            enrolled_at: time(agent.enrolled_at),
            certificate_expires_at: time(agent.certificate_expires_at),
            seen_at: agent.seen_at === null ? null : time(agent.seen_at),
            applied: agent.applied,
            report: agent.report === null ? null : JSON.parse(agent.report),
          },
    created_at: time(row.created_at),
    updated_at: time(row.updated_at),
  };
}
