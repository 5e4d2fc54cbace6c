import { Fault } from '../base/index.ts';
import { type Ask, unansweredReason } from './ask.ts';
import { canonical, type Reply } from './message.ts';
import { dataAt, type Resolver } from './resolver.ts';
import { type ServerAddress, serverLabel } from './server-address.ts';

/** A name server of a zone, by name, at each of its addresses. */
export interface NameServer {
  readonly name: string;
  readonly address: ServerAddress;
}

/** The zone that a name is in, and who serves it. */
export interface Authority {
  readonly zone: string;
  readonly servers: readonly NameServer[];
}

/** The nearest SOA at or above a name (RFC 8555 §8.4 speaks of zones; RFC 2308 §3 says where the SOA is). */
export async function findZone(name: string, resolver: Resolver, signal: AbortSignal): Promise<string> {
  const labels = canonical(name).split('.');
  for (let cut = 0; cut < labels.length; cut++) {
    const candidate = labels.slice(cut).join('.');
    const found = zoneIn(await resolver.query(candidate, 'SOA', signal), candidate);
    if (found !== undefined) return found;
  }
  throw new Fault({
    code: 'dns_zone_unknown',
    detail: `no zone was found for ${name}: no name above it has a SOA record`,
    party: 'dns',
    retry: 'backoff',
    advice: 'is the domain registered and delegated to name servers?',
  });
}

function zoneIn(reply: Reply, candidate: string): string | undefined {
  const soa = [...reply.answers, ...reply.authority].find((record) => record.type === 'SOA');
  // A SOA reached through an alias is that of the alias's target.
  const within = soa !== undefined && (soa.name === candidate || candidate.endsWith(`.${soa.name}`));
  return within && soa.name !== '' ? soa.name : undefined;
}

const MOST_SERVERS = 16;

/** Addresses of every server in the zone's NS set, as the resolver knows them. */
export async function nameServersOf(
  zone: string,
  resolver: Resolver,
  port: number,
  signal: AbortSignal,
): Promise<NameServer[]> {
  const names = dataAt(zone, 'NS', await resolver.query(zone, 'NS', signal)).slice(0, MOST_SERVERS);
  return addressesOf(names, resolver, port, signal);
}

async function addressesOf(
  names: readonly string[],
  resolver: Resolver,
  port: number,
  signal: AbortSignal,
): Promise<NameServer[]> {
  const found = await Promise.all(
    names.flatMap((name) =>
      (['A', 'AAAA'] as const).map(async (type) => {
        const reply = await resolver.query(name, type, signal).catch(() => {
          signal.throwIfAborted();
          return undefined;
        });
        const hosts = reply === undefined ? [] : dataAt(name, type, reply);
        return hosts.map((host): NameServer => ({ name, address: { kind: 'plain', host, port } }));
      }),
    ),
  );
  return found.flat().slice(0, MOST_SERVERS);
}

const LONGEST_DESCENT = 12;

/**
 * The zone and its servers by descending from the root, so that no resolver of this network has a say in it: how a
 * split horizon is recognised. Throws a `Fault` of party `dns` or `network` where the roots cannot be reached.
 */
export async function descendFromRoot(
  name: string,
  context: { ask: Ask; roots: readonly ServerAddress[]; resolver: Resolver; port: number },
  signal: AbortSignal,
): Promise<Authority> {
  let servers: readonly NameServer[] = context.roots.map((address) => ({ name: serverLabel(address), address }));
  let zone = '';
  for (let depth = 0; depth < LONGEST_DESCENT; depth++) {
    const reply = await firstReply(servers, name, context.ask, signal);
    const below = reply.authority.filter((record) => record.type === 'NS' && isBelow(record.name, zone, name));
    if (reply.authoritative || below.length === 0) return { zone: zoneIn(reply, canonical(name)) ?? zone, servers };
    zone = below[0]!.name;
    const names = below.map(({ data }) => data).slice(0, MOST_SERVERS);
    const glue = reply.additional.flatMap((record): NameServer[] =>
      (record.type === 'A' || record.type === 'AAAA') && names.includes(record.name)
        ? [{ name: record.name, address: { kind: 'plain', host: record.data, port: context.port } }]
        : [],
    );
    servers = glue.length > 0 ? glue : await addressesOf(names, context.resolver, context.port, signal);
  }
  throw new Fault({
    code: 'dns_zone_unknown',
    detail: `no zone was found for ${name}: delegations go too deep`,
    party: 'dns',
    retry: 'backoff',
  });
}

const isBelow = (child: string, parent: string, name: string) =>
  child.length > parent.length && (canonical(name) === child || canonical(name).endsWith(`.${child}`));

async function firstReply(servers: readonly NameServer[], name: string, ask: Ask, signal: AbortSignal): Promise<Reply> {
  const said: string[] = [];
  for (const server of servers.slice(0, 4)) {
    try {
      return await ask(server.address, { name, type: 'SOA', recurse: false }, signal);
    } catch (error) {
      signal.throwIfAborted();
      said.push(`${server.name}: ${unansweredReason(error)}`);
    }
  }
  throw new Fault({
    code: 'dns_lookup_failed',
    detail: `the servers above ${name} do not answer: ${said.join('; ') || 'none are known'}`,
    party: 'network',
    retry: 'backoff',
  });
}
