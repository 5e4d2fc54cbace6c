import { join } from 'node:path';
import { Agent, request } from 'undici';
import type { ChallengeSolver } from '../acme-client/index.ts';
import { type Clock, Fault, faultOf, inUtc, type Logger } from '../base/index.ts';
import { ask, createDnsClient, createDnsViews, type DnsViews, ROOT_SERVERS } from '../dns/index.ts';
import type { DnsViews as DomainViews } from '../domains/index.ts';
import {
  type CaIdentity,
  type CredentialFacts,
  caaAllows,
  caIdentityOf,
  createDoctor,
  createPreflight,
  type DoctorWish,
  type Finding,
} from '../preflight/index.ts';
import type { SecretStore } from '../secrets/index.ts';
import {
  createDns01,
  createDnsCredentials,
  createPersistentRecords,
  type DnsCredentials,
  dnsSolvers,
  isProofFresh,
  mayWrite,
} from '../solvers/dns/index.ts';
import { certificatesByName } from '../store/certificates.ts';
import type { Store } from '../store/index.ts';
import { accountOfIssuer } from '../store/issuer-accounts.ts';
import { issuerById } from '../store/issuers.ts';
import type { UpConfig } from './config.ts';
import { createPersistentNeed } from './persistent-need.ts';

/** What is asked of the issuers. */
export interface IssuerSource {
  caaIdentities(id: string, signal: AbortSignal): Promise<readonly string[]>;
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
  readonly doctor: { examine(name: string | undefined): Promise<Finding[]> };
  /** Who knows the directories of the CAs and their limits; nothing is said of either before. */
  useIssuers(source: IssuerSource): void;
  /** Ends with the signal that `startDns` was given. */
  readonly stopped: Promise<void>;
}

const LONGEST_REST_MS = 5 * 60_000;

/** Everything that asks or changes DNS. */
export function startDns(
  { acme: config, domains }: Pick<UpConfig, 'acme' | 'domains'>,
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

  let issuers: IssuerSource | undefined;
  async function caOf(issuerId: string, within: AbortSignal): Promise<CaIdentity | undefined> {
    const issuer = await issuerById(store.db, issuerId);
    if (issuer === undefined) return undefined;
    // A directory that cannot be read says nothing: the order that follows will say why.
    const caaIdentities = await issuers?.caaIdentities(issuerId, within).catch(() => []);
    return caIdentityOf(issuer, { accountUri: (await accountOfIssuer(store.db, issuerId))?.url, caaIdentities });
  }

  /** As the certificate that has the name is got; for one that nobody wished yet, as it would be. */
  async function wishOf(name: string | undefined, within: AbortSignal): Promise<DoctorWish> {
    const found = name === undefined ? [] : await certificatesByName(store.db, name);
    const row = found.find(({ kind }) => kind === 'acme');
    const issuer = (row && (JSON.parse(row.issuers) as string[])[0]) ?? config.default_issuer;
    return {
      ca: (await caOf(issuer, within)) ?? { issuer, isPublic: false, caNames: [] },
      challenge: row?.challenge ?? 'auto',
      ...(row?.dns_credential_id != null && { credentialId: row.dns_credential_id }),
    };
  }

  const look = async (id: string, place: string): Promise<CredentialFacts | undefined> => {
    const view = await credentials.get(id);
    if (view === undefined) return undefined;
    const { name, validation, validationDetail } = view;
    const isOld = validation === 'valid' && !isProofFresh(view, clock.now());
    return {
      id,
      name,
      validation: isOld ? 'old' : validation,
      covers: mayWrite(view, place),
      ...(validationDetail !== undefined && { detail: validationDetail }),
    };
  };
  const { credentialFor } = credentials;
  const sources = { dns, views, credentials: { credentialFor, look }, addresses: domains.addresses };
  return {
    views,
    domainViews: {
      txt: views.txt,
      async look(name, within, wish) {
        const found = await views.look(name, within);
        const ca = await caOf(wish?.issuers?.[0] ?? config.default_issuer, within);
        const methods = wish?.challenge === undefined ? undefined : [wish.challenge];
        const verdict = caaAllows({ name, ca, caa: found.caa, ...(methods && { methods }) });
        return { ...found, caa: { records: found.caa.records, ...verdict } };
      },
    },
    credentials,
    preflight: createPreflight({
      ...sources,
      caOf,
      proveCredential: async (id, within) => void (await credentials.ready(id, within)),
    }),
    solvers: (wish) => dnsSolvers({ dns01, credentials, persistent, log }, wish),
    doctor: createDoctor({
      ...sources,
      wish: wishOf,
      clockSkew: (issuerId, within) => clockSkew(store, issuerId, clock, within),
      limits: async (issuerId, name) => (issuers === undefined ? [] : limitWords(issuers, issuerId, name)),
    }),
    useIssuers: (source) => {
      issuers = source;
    },
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

async function limitWords(issuers: IssuerSource, issuerId: string, name: string | undefined) {
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
