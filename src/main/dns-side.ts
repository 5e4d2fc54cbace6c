import { join } from 'node:path';
import { Agent, request } from 'undici';
import type { ChallengeSolver } from '../acme-client/index.ts';
import { type Clock, Fault, faultOf, inUtc, type Logger } from '../base/index.ts';
import { ask, createDnsClient, createDnsViews, type DnsViews, ROOT_SERVERS } from '../dns/index.ts';
import type { DnsViews as DomainViews } from '../domains/index.ts';
import {
  type CaIdentity,
  caaVerdict,
  caIdentityOf,
  createDoctor,
  createPreflight,
  type Finding,
} from '../preflight/index.ts';
import type { SecretStore } from '../secrets/index.ts';
import {
  createDns01,
  createDnsCredentials,
  createPersistentRecords,
  type DnsCredentials,
  dnsSolvers,
} from '../solvers/dns/index.ts';
import type { Store } from '../store/index.ts';
import { accountOfIssuer } from '../store/issuer-accounts.ts';
import { issuerById } from '../store/issuers.ts';
import type { UpConfig } from './config.ts';
import { createPersistentNeed } from './persistent-need.ts';

/** What the issuer port says of limits. */
export interface QuotaSource {
  get(id: string): Promise<
    | {
        readonly quota: readonly {
          readonly limit: string;
          readonly scope: string;
          readonly used: number;
          readonly most: number;
          readonly resetsAt: number;
        }[];
      }
    | undefined
  >;
}

export interface DnsSide {
  readonly views: DnsViews;
  /** The same, with what CAA says of the issuers. */
  readonly domainViews: DomainViews;
  readonly credentials: DnsCredentials;
  readonly preflight: ReturnType<typeof createPreflight>;
  solvers(wish: { credentialId?: string; names: readonly string[] }): Promise<readonly ChallengeSolver[]>;
  doctor(issuers: QuotaSource): { examine(name: string | undefined): Promise<Finding[]> };
  /** Ends with the signal that `startDns` was given. */
  readonly stopped: Promise<void>;
}

const LONGEST_REST_MS = 5 * 60_000;

/** Everything that asks or changes DNS. */
export function startDns(
  config: UpConfig['acme'],
  deps: { store: Store; secrets: SecretStore; clock: Clock; log: Logger; dataDir: string; signal: AbortSignal },
): DnsSide {
  const { store, clock, signal } = deps;
  const log = deps.log.child({ part: 'dns' });
  const dns = createDnsClient({ resolvers: config.dns_resolvers, roots: ROOT_SERVERS });
  const views = createDnsViews(dns);
  const programs = join(deps.dataDir, 'dns-exec');
  const context = { ...deps, log, ask, dns, programs };
  const credentials = createDnsCredentials(context);
  const need = createPersistentNeed(store);
  const dns01 = createDns01({
    ...context,
    credentials,
    need,
    disablePropagationCheck: config.disable_propagation_check,
  });

  const persistent = createPersistentRecords({ store, clock, log, dns01, need });

  async function caOf(issuerId: string): Promise<CaIdentity | undefined> {
    const issuer = await issuerById(store.db, issuerId);
    return issuer && caIdentityOf(issuer, (await accountOfIssuer(store.db, issuerId))?.url);
  }

  const sources = { dns, views, credentials, addresses: [] };
  return {
    views,
    domainViews: {
      txt: views.txt,
      async look(name, within, issuers) {
        const look = await views.look(name, within);
        const ca = await caOf(issuers?.[0] ?? config.default_issuer);
        return { ...look, caa: { records: look.caa.records, ...caaVerdict(name, look.caa, ca) } };
      },
    },
    credentials,
    preflight: createPreflight({
      ...sources,
      caOf,
      proveCredential: async (id, within) => void (await credentials.ready(id, within)),
    }),
    solvers: (wish) => dnsSolvers({ dns01, credentials, persistent, log }, wish),
    doctor: (issuers) =>
      createDoctor({
        ...sources,
        defaultCa: async () =>
          (await caOf(config.default_issuer)) ?? { issuer: config.default_issuer, isPublic: false, caNames: [] },
        clockSkew: (within) => clockSkew(store, config.default_issuer, clock, within),
        limits: (name) => limitWords(issuers, config.default_issuer, name),
      }),
    stopped: sweepAlways(dns01, clock, log, signal),
  };
}

/** Records that a killed process left at a provider are removed when their time has come. */
async function sweepAlways(
  { sweep }: { sweep(signal?: AbortSignal): Promise<number | undefined> },
  clock: Clock,
  log: Logger,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      const next = await sweep(signal);
      const rest = Math.max(1_000, (next ?? Number.POSITIVE_INFINITY) - clock.now());
      await clock.sleep(Math.min(rest, LONGEST_REST_MS), signal);
    } catch (error) {
      if (signal.aborted) return;
      log.error({ err: error }, 'the sweep of TXT records failed; it is tried again');
      await clock.sleep(LONGEST_REST_MS, signal).catch(() => {});
    }
  }
}

/** How far our clock is ahead of the Date that the issuer's directory answers, in ms. */
async function clockSkew(store: Store, issuerId: string, clock: Clock, signal: AbortSignal): Promise<number> {
  const issuer = await issuerById(store.db, issuerId);
  if (issuer === undefined)
    throw new Fault({
      code: 'issuer_unknown',
      detail: `there is no issuer ${issuerId}`,
      party: 'operator',
      retry: 'never',
    });
  const agent = new Agent({ connect: { ca: issuer.ca_pem ?? undefined } });
  try {
    const { headers, body } = await request(issuer.directory, { signal, dispatcher: agent });
    await body.dump();
    const date = Date.parse(String(headers.date));
    return Number.isNaN(date) ? 0 : clock.now() - date;
  } catch (error) {
    throw new Fault(
      { code: 'ca_unreachable', detail: faultOf(error).message, party: 'network', retry: 'backoff' },
      error,
    );
  } finally {
    await agent.close();
  }
}

async function limitWords(issuers: QuotaSource, issuerId: string, name: string | undefined) {
  const quota = (await issuers.get(issuerId))?.quota ?? [];
  return quota
    .filter(
      ({ scope }) =>
        name === undefined || scope === 'account' || scope.split(',').some((one) => ` ${name}`.endsWith(one)),
    )
    .map(({ limit, scope, used, most, resetsAt }) => ({
      words: `${limit}: ${Math.max(0, most - used)} of ${most} left for ${scope} at ${issuerId} until ${inUtc(resetsAt)}`,
      usedUp: used >= most,
    }));
}
