import { type Clock, Fault, faultOf, type Logger } from '../../base/index.ts';
import type { DnsClient } from '../../dns/index.ts';
import type { Store } from '../../store/index.ts';
import { type DnsCredentials, mayWrite, type OpenCredential } from './credentials.ts';
import { keepsPersistent, type PersistentNeed } from './persistent-records.ts';
import type { Dns01, Dns01Call, DnsChallenge } from './port.ts';
import { awaitPropagation } from './propagation.ts';
import { longestZone, type ProviderZone, zoneCandidates } from './provider.ts';
import { createDnsRecords, type PlacedRecord } from './records.ts';

export interface Dns01Options {
  readonly store: Store;
  readonly credentials: DnsCredentials;
  readonly dns: DnsClient;
  readonly clock: Clock;
  readonly log: Logger;
  /** GATEHOUSE_ACME_DISABLE_PROPAGATION_CHECK. */
  readonly disablePropagationCheck?: boolean;
  /** Without it every record is removed in the end. */
  readonly need?: PersistentNeed;
  /** How long authoritative servers may take, in ms; 5 minutes when absent. */
  readonly propagationMs?: number;
  /** How much longer configured resolvers may take, in ms; 30 seconds when absent. */
  readonly resolversMs?: number;
}

const PROPAGATION_MS = 5 * 60_000;
const RESOLVERS_MS = 30_000;

export function createDns01(options: Dns01Options): Dns01 {
  const { credentials, dns, clock, need } = options;
  const records = createDnsRecords({
    ...options,
    ...(need !== undefined && { keeps: keepsPersistent({ need, clock }) }),
  });
  const limits = {
    authoritativeMs: options.propagationMs ?? PROPAGATION_MS,
    resolversMs: options.resolversMs ?? RESOLVERS_MS,
  };

  return {
    async present({ owner, challenges, credentialId }, call = {}) {
      const signal = call.signal ?? new AbortController().signal;
      const ready = onceEach((id: string) => credentials.ready(id, signal));
      const zones = onceEach(async (key: string) => {
        const [id, name] = key.split(' ') as [string, string];
        return zoneFor(await ready(id), name, signal);
      });
      const place = async (challenge: DnsChallenge): Promise<PlacedRecord> => {
        const { name, id } = await followAndChoose(challenge, credentialId, { ...call, signal });
        const { view, provider } = await ready(id);
        if (!mayWrite(view, name)) throw outside(view.name, challenge.recordName, name);
        const zone = await zones(`${id} ${name}`);
        const { recordName: askedName, value } = challenge;
        return { askedName, name, value, zone: zone.name, zoneRef: zone.ref, credentialId: id, provider };
      };
      const placed = await Promise.all(unique(challenges).map(place));
      const id = await records.write(owner, placed, signal);
      for (const { name, zone } of placed) call.onStep?.(`wrote TXT ${name} in zone ${zone}`);
      return { id, records: placed.map(({ provider: _, zoneRef: __, ...record }) => record) };
    },
    async waitForPropagation(presentation, call = {}, withinMs = limits.authoritativeMs) {
      if (options.disablePropagationCheck === true) {
        call.onStep?.('the propagation check is switched off');
        return { agreed: false, skipped: true, rounds: 0, answers: [] };
      }
      const signal = call.signal ?? new AbortController().signal;
      const within = { ...limits, authoritativeMs: withinMs };
      return awaitPropagation(presentation.records, dns, clock, within, call, async (lost) => {
        const values = new Set(lost.map(({ value }) => value));
        await records.rewrite(presentation.id, values, signal);
      });
    },
    cleanUp: (presentationId) => records.remove(presentationId),
    sweep: (signal) => records.sweep(signal),
  };

  /** Where a value goes: at the end of the aliases of the name, if it is delegated (RFC 8555 §8.4 follows CNAME). */
  async function followAndChoose(
    { recordName }: DnsChallenge,
    wanted: string | undefined,
    { signal, onStep }: Dns01Call & { signal: AbortSignal },
  ): Promise<{ name: string; id: string }> {
    const aliases = await dns.aliases(recordName, signal).catch((error) => {
      signal.throwIfAborted();
      onStep?.(`whether ${recordName} is delegated could not be seen: ${faultOf(error).message}`);
      return [];
    });
    const name = aliases.at(-1) ?? recordName;
    if (name !== recordName) onStep?.(`${recordName} leads to ${name} by CNAME`);
    const id = wanted ?? (await credentials.credentialFor(name));
    if (id !== undefined) return { name, id };
    throw new Fault({
      code: 'dns_credential_missing',
      detail: `no DNS credential is for a zone of ${name}`,
      party: 'operator',
      retry: 'backoff',
      advice: 'store a credential that sees the zone (gatehouse dns-credentials create), or bind one to it',
    });
  }
}

async function zoneFor({ view, provider }: OpenCredential, name: string, signal: AbortSignal): Promise<ProviderZone> {
  if (provider.zones !== undefined) {
    for (const candidate of zoneCandidates(name)) {
      const zone = longestZone(await provider.zones(signal, candidate), name);
      if (zone !== undefined) return zone;
    }
  } else if (provider.zoneOf !== undefined) {
    const zone = await provider.zoneOf(name, signal);
    if (zone !== undefined) return zone;
  } else {
    const zone = longestZone(
      view.zones.map((bound) => ({ name: bound, ref: bound })),
      name,
    );
    if (zone !== undefined) return zone;
  }
  throw new Fault({
    code: 'dns_zone_unknown',
    detail: `the DNS credential ${view.name} sees no zone for ${name}`,
    party: 'dns-provider',
    retry: 'backoff',
    advice: 'give the credential access to the zone, or choose another credential',
  });
}

function outside(credential: string, askedName: string, name: string): Fault {
  const way = askedName === name ? '' : ` (to which ${askedName} leads by CNAME)`;
  return new Fault({
    code: 'dns_credential_outside',
    detail: `the DNS credential ${credential} is not for ${name}${way}`,
    party: 'operator',
    retry: 'backoff',
    advice: 'choose a credential for that zone, or bind this one to it',
  });
}

const unique = (challenges: readonly DnsChallenge[]): DnsChallenge[] => [
  ...new Map(challenges.map((challenge) => [`${challenge.recordName} ${challenge.value}`, challenge])).values(),
];

function onceEach<T>(work: (key: string) => Promise<T>): (key: string) => Promise<T> {
  const known = new Map<string, Promise<T>>();
  return (key) => {
    const one = known.get(key) ?? work(key);
    known.set(key, one);
    return one;
  };
}
