import { Refusal } from '../refusal.ts';
import { createDnsClient, type DnsAnswer, type RecordType } from './dns-client.ts';
import { mayReach } from './special-addresses.ts';
import type { ValidationPolicy } from './validator.ts';

const MOST_SERVERS = 8;

/**
 * Records by the profile's resolvers, or, where it asks for that, by the zone's own servers: then every server that can
 * be reached is asked, and they must agree.
 */
export async function lookUp(
  name: string,
  type: RecordType,
  policy: ValidationPolicy,
  signal: AbortSignal,
): Promise<DnsAnswer> {
  const recursive = createDnsClient(policy.resolvers);
  const seen = await recursive.query(name, type, signal);
  if (!policy.authoritative) return seen;
  const end = seen.path.at(-1)!;
  const servers = await authoritativeServers(end, policy, signal);
  const answers = await Promise.all(
    servers.map((server) => createDnsClient([server], { recursion: false }).query(end, type, signal)),
  );
  const texts = answers.map(({ records }) =>
    records
      .map((record) => JSON.stringify('data' in record ? record.data : ''))
      .sort()
      .join('\n'),
  );
  if (new Set(texts).size > 1)
    throw new Refusal(
      'dns',
      `the authoritative servers of ${end} do not agree yet on its ${type} records; try again when they do`,
    );
  return { ...answers[0]!, path: seen.path };
}

/** Addresses (with port 53) of the servers of the zone that holds the name. */
async function authoritativeServers(name: string, policy: ValidationPolicy, signal: AbortSignal): Promise<string[]> {
  const recursive = createDnsClient(policy.resolvers);
  const labels = name.split('.');
  for (let i = 0; i < labels.length - 1; i++) {
    const { records } = await recursive.query(labels.slice(i).join('.'), 'NS', signal);
    const hosts = records.flatMap((record) => (record.type === 'NS' ? [record.data] : []));
    if (hosts.length === 0) continue;
    const found = await Promise.all(
      hosts
        .slice(0, MOST_SERVERS)
        .flatMap((host) => [recursive.query(host, 'A', signal), recursive.query(host, 'AAAA', signal)]),
    );
    const addresses = found.flatMap(({ records: list }) =>
      list.flatMap((record) => (record.type === 'A' || record.type === 'AAAA' ? [record.data] : [])),
    );
    const reachable = addresses.filter((address) => mayReach(address, policy.allowed_cidrs)).slice(0, MOST_SERVERS);
    if (reachable.length > 0) return reachable;
  }
  throw new Refusal('dns', `no authoritative server of ${name} was found that may be asked`);
}
