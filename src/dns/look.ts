import ipaddr from 'ipaddr.js';
import { faultOf } from '../base/index.ts';
import { unansweredReason } from './ask.ts';
import { caaText, findCaa } from './caa.ts';
import type { DnsClient, FoundAuthority } from './client.ts';
import type { QuestionType } from './message.ts';
import { aliasChain, dataAt } from './resolver.ts';
import { type ServerAddress, serverLabel } from './server-address.ts';
import type { CaaLook, DnsViews, View, ViewAnswer } from './views.ts';

const LOOK_MS = 15_000;
const MOST_SYSTEM_SERVERS = 2;
const MOST_AUTHORITATIVE = 8;

/** What each party answers for a name, through one client. */
export function createDnsViews(dns: DnsClient): DnsViews {
  return {
    async look(name, outer) {
      const signal = AbortSignal.any([outer, AbortSignal.timeout(LOOK_MS)]);
      const system = dns.system.slice(0, MOST_SYSTEM_SERVERS);
      const [fromSystem, fromResolvers, fromAuthority, caa] = await Promise.all([
        Promise.all(system.map((server) => lookAt(dns, 'system', server, name, signal))),
        Promise.all(dns.configured.map((server) => lookAt(dns, 'resolver', server, name, signal))),
        lookAtAuthority(dns, name, signal),
        lookForCaa(dns, name, signal),
      ]);
      outer.throwIfAborted();
      const resolved = [...fromSystem, ...fromResolvers];
      const answers = [...resolved, ...fromAuthority];
      const splitHorizon = describeSplit(name, resolved, fromAuthority);
      const isBroken = await brokenDnssec(dns, resolved, name, signal);
      return {
        answers,
        caa,
        ...(splitHorizon !== undefined && { splitHorizon }),
        ...(isBroken && { dnssec: 'broken' as const }),
      };
    },
    async txt(name, outer) {
      const signal = AbortSignal.any([outer, AbortSignal.timeout(LOOK_MS)]);
      const values = new Set<string>();
      const collect = async (server: ServerAddress, recurse: boolean) => {
        const reply = await dns.ask(server, { name, type: 'TXT', recurse }, signal);
        for (const value of dataAt(name, 'TXT', reply)) values.add(value);
        return aliasChain(name, reply).length > 0 && values.size === 0;
      };
      const { servers } = await dns
        .authority(name, signal)
        .catch((): Pick<FoundAuthority, 'servers'> => ({ servers: [] }));
      const authoritative = servers.slice(0, MOST_AUTHORITATIVE).map(({ address }) => collect(address, false));
      const outcomes = await Promise.allSettled(authoritative);
      const answered = outcomes.some((outcome) => outcome.status === 'fulfilled' && !outcome.value);
      // An alias that leaves the zone is followed by the resolver, and so is what the servers do not tell.
      if (!answered)
        await Promise.allSettled(dns.resolver.servers.slice(0, MOST_SYSTEM_SERVERS).map((one) => collect(one, true)));
      outer.throwIfAborted();
      return [...values];
    },
  };
}

async function lookAt(
  dns: DnsClient,
  view: View,
  server: ServerAddress,
  name: string,
  signal: AbortSignal,
  label = serverLabel(server),
): Promise<ViewAnswer> {
  const base = { view, server: label };
  try {
    const recurse = view !== 'authoritative';
    const ask = (type: QuestionType) => dns.ask(server, { name, type, recurse }, signal);
    const [v4, v6] = await Promise.all([ask('A'), ask('AAAA')]);
    const cname = aliasChain(name, v4);
    const failed = [v4, v6].find(({ rcode }) => rcode !== 'NOERROR');
    let addresses = [...dataAt(name, 'A', v4), ...dataAt(name, 'AAAA', v6)];
    const target = cname.at(-1);
    if (addresses.length === 0 && !recurse && target !== undefined) addresses = await addressesOf(dns, target, signal);
    const problem =
      addresses.length > 0
        ? undefined
        : (failed?.rcode ?? (target === undefined ? 'no address' : `no address at ${target}`));
    return { ...base, addresses, cname, ...(problem !== undefined && { problem }) };
  } catch (error) {
    return { ...base, addresses: [], cname: [], problem: unansweredReason(error) };
  }
}

/** Where an alias of the zone leads, which its own servers do not know. */
async function addressesOf(dns: DnsClient, name: string, signal: AbortSignal): Promise<string[]> {
  const replies = await Promise.allSettled(
    (['A', 'AAAA'] as const).map(async (type) => dataAt(name, type, await dns.resolver.query(name, type, signal))),
  );
  return replies.flatMap((reply) => (reply.status === 'fulfilled' ? reply.value : []));
}

async function lookAtAuthority(dns: DnsClient, name: string, signal: AbortSignal): Promise<ViewAnswer[]> {
  try {
    const { servers } = await dns.authority(name, signal);
    const asked = servers.slice(0, MOST_AUTHORITATIVE).map(({ name: label, address }) => {
      const port = address.kind === 'plain' && address.port !== 53 ? `:${address.port}` : '';
      return lookAt(dns, 'authoritative', address, name, signal, `${label}${port}`);
    });
    return await Promise.all(asked);
  } catch (error) {
    const problem = signal.aborted ? 'timeout' : faultOf(error).message;
    return [{ view: 'authoritative', server: 'not found', addresses: [], cname: [], problem }];
  }
}

async function lookForCaa(dns: DnsClient, name: string, signal: AbortSignal): Promise<CaaLook> {
  try {
    const found = await findCaa(name, dns.resolver, signal);
    return { records: found.map(caaText), found };
  } catch (error) {
    return { records: [], found: [], problem: signal.aborted ? 'timeout' : faultOf(error).message };
  }
}

/** Only a resolver that validates can tell: it refuses what it answers when told not to check (RFC 4035 §3.2.2). */
async function brokenDnssec(
  dns: DnsClient,
  resolved: readonly ViewAnswer[],
  name: string,
  signal: AbortSignal,
): Promise<boolean> {
  const failing = [...dns.system, ...dns.configured].filter((server) =>
    resolved.some((answer) => answer.server === serverLabel(server) && answer.problem === 'SERVFAIL'),
  );
  for (const server of failing) {
    const question = { name, type: 'A', recurse: true, uncheck: true } as const;
    const reply = await dns.ask(server, question, signal).catch(() => undefined);
    if (reply?.rcode === 'NOERROR' || reply?.rcode === 'NXDOMAIN') return true;
  }
  return false;
}

/** In a sentence, where a resolver of this network and the zone's own servers see different worlds. */
export function describeSplit(
  name: string,
  resolved: readonly ViewAnswer[],
  authoritative: readonly ViewAnswer[],
): string | undefined {
  const known = authoritative.find(({ addresses }) => addresses.length > 0);
  if (known === undefined) return undefined;
  const truth = `the authoritative servers answer ${known.addresses.join(', ')}`;
  for (const { server, addresses, problem } of resolved) {
    if (problem !== undefined && !/timeout|ECONN|unreach/i.test(problem))
      return `your resolver ${server} answers ${problem} for ${name}; ${truth}`;
    const differs = addresses.length > 0 && !addresses.some((address) => known.addresses.includes(address));
    // Public addresses that differ are a content network's way; a private one is a view of this network's own.
    if (differs && addresses.some(isPrivate) !== known.addresses.some(isPrivate))
      return `your resolver ${server} answers ${addresses.join(', ')} for ${name}; ${truth}`;
  }
  return undefined;
}

const isPrivate = (address: string) => ipaddr.isValid(address) && ipaddr.process(address).range() !== 'unicast';
