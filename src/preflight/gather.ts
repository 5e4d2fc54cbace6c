import { connect } from 'node:net';
import { faultOf } from '../base/index.ts';
import type { DnsClient, DnsViews, NameLook } from '../dns/index.ts';
import type { CaIdentity } from './ca-identity.ts';
import type { DelegationFacts, NameFacts, ReachFacts } from './judge-name.ts';

/** DNS credentials as preflight sees them. */
export interface CredentialLook {
  credentialFor(name: string): Promise<string | undefined>;
  get(id: string): Promise<
    | {
        readonly name: string;
        readonly validation: 'unproven' | 'valid' | 'failed';
        readonly validationDetail?: string;
      }
    | undefined
  >;
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
  readonly credentialId?: string;
  /** Whether to try connections, too. */
  readonly reach: boolean;
}

const MOST_ADDRESSES = 4;
const CONNECT_MS = 2_000;

export async function gatherName(
  sources: GatherSources,
  question: NameQuestion,
  signal: AbortSignal,
): Promise<NameFacts> {
  const wildcard = question.name.startsWith('*.');
  const bare = question.name.replace(/^\*\./, '');
  const [look, delegation] = await Promise.all([
    sources.views.look(bare, signal),
    gatherDelegation(sources, bare, question.credentialId, signal),
  ]);
  const { challenge, ca } = question;
  const reach = question.reach && !wildcard ? await tryPorts(look, challenge, signal) : [];
  return { name: question.name, wildcard, challenge, ca, look, ours: sources.addresses, delegation, reach };
}

async function gatherDelegation(
  { dns, credentials }: GatherSources,
  name: string,
  credentialId: string | undefined,
  signal: AbortSignal,
): Promise<DelegationFacts> {
  const recordName = `_acme-challenge.${name}`;
  let problem: string | undefined;
  const aliases = await dns.aliases(recordName, signal).catch((error: unknown) => {
    problem = faultOf(error).message;
    return [];
  });
  const target = aliases.at(-1);
  const id = credentialId ?? (await credentials.credentialFor(target ?? recordName));
  const found = id === undefined ? undefined : await credentials.get(id);
  return {
    recordName,
    ...(target !== undefined && { target }),
    ...(problem !== undefined && { problem }),
    ...(found !== undefined && {
      credential: {
        name: found.name,
        validation: found.validation,
        ...(found.validationDetail !== undefined && { detail: found.validationDetail }),
      },
    }),
  };
}

async function tryPorts(look: NameLook, challenge: NameFacts['challenge'], signal: AbortSignal): Promise<ReachFacts[]> {
  const addresses = [...new Set(look.answers.flatMap((answer) => answer.addresses))].slice(0, MOST_ADDRESSES);
  const ports = challenge === 'http-01' ? [80] : challenge === 'tls-alpn-01' ? [443] : [80, 443];
  return Promise.all(addresses.flatMap((address) => ports.map((port) => tryPort(address, port, signal))));
}

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
