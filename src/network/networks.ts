import { createProblems, newId, type Problems, readInput } from '../base/index.ts';
import { recordChange } from '../store/index.ts';
import { deleteNetwork, findNetwork, insertNetwork, listNetworks, type NetworkRow } from '../store/networks.ts';
import { peersOfNetwork } from '../store/peers.ts';
import { virtualIpsOfNetwork } from '../store/virtual-ips.ts';
import { type Cidr, cidrText, type Family, freeAddress, parseCidr } from './address.ts';
import { type Collection, type Document, inUse, missing, time } from './collection.ts';
import { NAME_RULE, type NetworkDeps } from './deps.ts';

const TOPOLOGIES = ['hub-and-spoke', 'mesh'] as const;

/** Overlay networks. */
export function createNetworks({ store, clock }: NetworkDeps): Collection {
  return {
    async list({ after, limit }) {
      const rows = await listNetworks(store.db, { limit, ...(after !== undefined && { after }) });
      return rows.map(networkDocument);
    },
    async get(reference) {
      const row = await findNetwork(store.db, reference);
      return row && { ...networkDocument(row), free_addresses: await freeAddresses(store.db, row) };
    },
    async create(input) {
      const problems = createProblems();
      const draft = parseNetwork(input, problems);
      if (draft.name !== undefined && (await findNetwork(store.db, draft.name)) !== undefined)
        problems.add('name', 'taken', `there is a network ${draft.name} already`);
      problems.throwIfAny();
      return store.write(async (tx) => {
        const now = clock.now();
        const row: NetworkRow = {
          id: newId('net', now),
          name: draft.name!,
          ipv6: draft.ipv6 ?? null,
          ipv4: draft.ipv4 ?? null,
          topology: draft.topology ?? 'hub-and-spoke',
          created_at: now,
          updated_at: now,
        };
        await insertNetwork(tx, row);
        await recordChange(tx, 'network', row.id, now);
        return networkDocument(row);
      });
    },
    remove: (reference) =>
      store.write(async (tx) => {
        const row = await findNetwork(tx, reference);
        if (row === undefined) throw missing('network', reference);
        const peers = await peersOfNetwork(tx, row.id);
        if (peers.length > 0)
          throw inUse(
            'network',
            row.name,
            peers.map(({ name }) => `the peer ${name}`),
            'remove its peers first',
          );
        await deleteNetwork(tx, row.id);
        await recordChange(tx, 'network', row.id, clock.now());
      }),
  };
}

function parseNetwork(input: Readonly<Record<string, unknown>>, problems: Problems) {
  const read = readInput(input, problems);
  const name = read.text('name', { ...NAME_RULE, required: true });
  const topology = read.choice('topology', TOPOLOGIES);
  const range = (field: Family, rule: (cidr: Cidr) => boolean, what: string) => {
    const text = read.text(field);
    if (text === undefined) return undefined;
    const cidr = parseCidr(text);
    if (cidr?.family === field && rule(cidr)) return cidrText(cidr);
    problems.add(field, 'invalid', `${text} is not ${what}`);
    return undefined;
  };
  const ipv6 = range('ipv6', ({ prefix }) => prefix === 64, 'an IPv6 /64, such as fd42:1:2:3::/64');
  const ipv4 = range(
    'ipv4',
    ({ prefix }) => prefix >= 8 && prefix <= 30,
    'an IPv4 range of /8 to /30, such as 10.42.0.0/24',
  );
  if (!read.has('ipv6') && !read.has('ipv4'))
    problems.add(
      'ipv6',
      'required',
      'a network needs ipv6 (a /64) or ipv4 (a range), or both',
      'fd42:1:2:3::/64 is a choice that no one else routes, if you draw the digits by lot (RFC 4193 §3.2)',
    );
  read.refuseOthers();
  return { name, topology, ipv6, ipv4 };
}

/** The next address of each family that nobody in the network has. */
export async function freeAddresses(
  db: NetworkDeps['store']['db'],
  network: NetworkRow,
): Promise<{ ipv6: string | null; ipv4: string | null }> {
  const rows = [...(await peersOfNetwork(db, network.id)), ...(await virtualIpsOfNetwork(db, network.id))];
  const free = (family: Family) => {
    const range = network[family] === null ? undefined : parseCidr(network[family]);
    if (range === undefined) return null;
    return freeAddress(range, new Set(rows.flatMap((row) => row[family] ?? []))) ?? null;
  };
  return { ipv6: free('ipv6'), ipv4: free('ipv4') };
}

export function networkDocument(row: NetworkRow): Document {
  return {
    id: row.id,
    name: row.name,
    ipv6: row.ipv6,
    ipv4: row.ipv4,
    topology: row.topology,
    created_at: time(row.created_at),
    updated_at: time(row.updated_at),
  };
}

/** The same as a list, by the network's id. */
export async function freeAddressesOf(db: NetworkDeps['store']['db'], networkId: string): Promise<string[]> {
  const network = await findNetwork(db, networkId);
  if (network === undefined) return [];
  const { ipv6, ipv4 } = await freeAddresses(db, network);
  return [ipv6, ipv4].flatMap((address) => address ?? []);
}
