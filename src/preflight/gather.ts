import { connect } from 'node:net';
import ipaddr from 'ipaddr.js';
import { Fault, faultOf } from '../base/index.ts';
import { type DnsClient, type DnsViews, findZone, type NameLook } from '../dns/index.ts';
import { isRegistrySuffix, registeredDomain } from '../x509/index.ts';
import type { CaIdentity } from './ca-identity.ts';
import type { CredentialFacts, DelegationFacts } from './judge-delegation.ts';
import type { NameFacts, ReachFacts } from './judge-name.ts';
import { methodsOf } from './methods.ts';

/** DNS credentials as preflight sees them. */
export interface CredentialLook {
  credentialFor(name: string): Promise<string | undefined>;
  /** What is known of it, and whether `place` is in a zone that it is for. */
  look(id: string, place: string): Promise<CredentialFacts | undefined>;
}

export interface GatherSources {
  readonly dns: DnsClient;
  readonly views: DnsViews;
  readonly credentials: CredentialLook;
  /** Public addresses of our edge. */
  readonly addresses: readonly string[];
}

export interface NameQuestion {
  /** Exact or wildcard. */
  readonly name: string;
  readonly challenge: NameFacts['challenge'];
  readonly ca: CaIdentity;
  readonly credentialId?: string | undefined;
  /**
   * Which addresses to try connections to. Names are written by strangers, who must not learn from our answers what is
   * open inside this network, so for them it is `public`: what is on the Internet, or ours.
   */
  readonly reach: 'any' | 'public' | 'none';
}

const MOST_ADDRESSES = 4;
const CONNECT_MS = 2_000;

export async function gatherName(
  sources: GatherSources,
  question: NameQuestion,
  signal: AbortSignal,
): Promise<NameFacts> {
  const { name, challenge, ca } = question;
  const wildcard = name.startsWith('*.');
  const bare = name.replace(/^\*\./, '');
  const [look, delegation] = await Promise.all([
    sources.views.look(bare, signal),
    gatherDelegation(sources, bare, question.credentialId, signal),
  ]);
  const methods = methodsOf({ challenge, wildcard }, delegation.credential !== undefined);
  const reach = wildcard || question.reach === 'none' ? [] : await tryPorts(sources, question, look, signal);
  return { name, wildcard, challenge, methods, ca, look, ours: sources.addresses, delegation, reach };
}

export async function gatherDelegation(
  sources: Pick<GatherSources, 'dns' | 'credentials'>,
  name: string,
  credentialId: string | undefined,
  signal: AbortSignal,
): Promise<DelegationFacts> {
  const { dns, credentials } = sources;
  const recordName = `_acme-challenge.${name}`;
  let problem: string | undefined;
  const aliases = await dns.aliases(recordName, signal).catch((error: unknown) => {
    problem = faultOf(error).message;
    return [];
  });
  const target = aliases.at(-1);
  const place = target ?? recordName;
  const id = credentialId ?? (await credentials.credentialFor(place));
  const credential = id === undefined ? undefined : await credentials.look(id, place);
  const dangling = target && (await whyDangling(dns, target, credential?.covers === true, signal));
  return {
    recordName,
    ...(target !== undefined && { target }),
    ...(problem !== undefined && { problem }),
    ...(dangling && { dangling }),
    ...(credential !== undefined && { credential }),
  };
}

/** Why no record can be at `target`; undefined where there is a zone for it, or that could not be seen. */
async function whyDangling(
  dns: DnsClient,
  target: string,
  isCovered: boolean,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    const zone = await findZone(target, dns.resolver, signal);
    const registered = registeredDomain(target);
    // Under a registry's zone every domain is a zone of its own. A private top level may hold its names itself.
    const isMissing = registered.length > zone.length && (isRegistrySuffix(zone) || !isCovered);
    return isMissing ? `there is no domain ${registered}: ${zone} does not know it` : undefined;
  } catch (error) {
    signal.throwIfAborted();
    const unknown = error instanceof Fault && error.code === 'dns_zone_unknown';
    return unknown ? 'no zone is known for it' : undefined;
  }
}

async function tryPorts(
  { addresses: ours }: GatherSources,
  { challenge, reach }: NameQuestion,
  look: NameLook,
  signal: AbortSignal,
): Promise<ReachFacts[]> {
  const known = [...new Set(look.answers.flatMap((answer) => answer.addresses))];
  const addresses = known
    .filter((one) => reach === 'any' || ours.includes(one) || isPublic(one))
    .slice(0, MOST_ADDRESSES);
  const ports = challenge === 'http-01' ? [80] : challenge === 'tls-alpn-01' ? [443] : [80, 443];
  return Promise.all(addresses.flatMap((address) => ports.map((port) => tryPort(address, port, signal))));
}

const isPublic = (address: string) => ipaddr.isValid(address) && ipaddr.process(address).range() === 'unicast';

function tryPort(address: string, port: number, signal: AbortSignal): Promise<ReachFacts> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port, signal, timeout: CONNECT_MS });
    const end = (problem?: string) => {
      socket.destroy();
      resolve({ address, port, ...(problem !== undefined && { problem }) });
    };
    socket.once('connect', () => end());
    socket.once('timeout', () => end('no answer within 2 s'));
    socket.once('error', (error: NodeJS.ErrnoException) => end(error.code ?? error.message));
  });
}
