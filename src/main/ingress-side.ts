import { readFile } from 'node:fs/promises';
import { type Clock, errorText, type Logger } from '../base/index.ts';
import {
  type Certificates,
  type CertificateView,
  type MassRevocation,
  REVOCATION_REASONS,
  type RevocationReason,
} from '../certificates/index.ts';
import type { ConversationPort, MissionPort, NetworkPort } from '../control/index.ts';
import type { DnsViews } from '../dns/index.ts';
import {
  type AddressLookupPort,
  createServiceProbe,
  exposeKind,
  type IngressDeps,
  type KnownCertificate,
  type MassRevocationPort,
  massRevocationKind,
  revokeCertificatesKind,
  unexposeKind,
} from '../ingress/index.ts';
import {
  type ApprovalPolicy,
  createBriefModel,
  createConcierge,
  createMissionRunner,
  createMissions,
  gatherKnown,
  type Missions,
} from '../missions/index.ts';
import {
  closeMappingKind,
  createInstances,
  createNetworks,
  createPeers,
  createPortMappings,
  createVirtualIps,
  freeAddressesOf,
  isGlobal,
  openMappingKind,
  virtualAddresses,
} from '../network/index.ts';
import type { IngressRoutes } from '../publish/index.ts';
import { certificatesOfReference } from '../store/certificates.ts';
import { deliveriesOf } from '../store/deliveries.ts';
import type { Store } from '../store/index.ts';
import { matchesName } from '../x509/index.ts';
import type { UpConfig } from './config.ts';

export interface IngressSideDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
  readonly certificates: Certificates;
  readonly issuers: { list(): Promise<readonly { readonly id: string }[]> };
  readonly massRevocation: MassRevocation;
  readonly credentials: IngressDeps['credentials'];
  readonly views: DnsViews;
  readonly routes: IngressRoutes;
  readonly edge: { readonly httpsPort: number; readonly httpPort: number };
  readonly policy: ApprovalPolicy;
  readonly concierge: UpConfig['concierge'];
  readonly enrol?: NetworkPort['enrol'];
  readonly signal: AbortSignal;
}

export interface IngressSide {
  readonly missions: MissionPort & Pick<Missions, 'kinds'>;
  readonly network: NetworkPort;
  readonly conversations: ConversationPort;
  /** Ends with the signal. */
  readonly stopped: Promise<void>;
}

/** Publishing of services: the network, the plans and their runner, the concierge. */
export function startIngress(deps: IngressSideDeps): IngressSide {
  const { store, clock, log, certificates, routes, policy, signal } = deps;
  const issuerIds = async () => (await deps.issuers.list()).map(({ id }) => id);
  const ingress: IngressDeps = {
    store,
    clock,
    log,
    overlay: { virtualAddresses, isGlobal },
    certificates: certificatePort(store, certificates),
    issuers: { ids: issuerIds },
    credentials: deps.credentials,
    addresses: addressLookup(deps.views),
    publish: { compose: (id) => compose(store, routes, id) },
    probe: createServiceProbe(),
    edge: { https: deps.edge.httpsPort, http: deps.edge.httpPort },
  };
  const kinds = [
    exposeKind(ingress),
    unexposeKind(ingress),
    openMappingKind(deps),
    closeMappingKind(deps),
    revokeCertificatesKind(revocation(certificates), Object.keys(REVOCATION_REASONS)),
    massRevocationKind(
      massRevocation(deps.massRevocation),
      { ids: issuerIds },
      Object.keys(REVOCATION_REASONS),
      clock.now,
    ),
  ];
  const runner = createMissionRunner({ store, clock, log, kinds, policy });
  return {
    missions: createMissions({ store, clock, log, kinds, policy, wake: runner.wake }),
    network: {
      networks: createNetworks(deps),
      instances: createInstances(deps),
      peers: createPeers(deps),
      virtualIps: createVirtualIps(deps),
      portMappings: createPortMappings(deps),
      ...(deps.enrol && { enrol: deps.enrol }),
    },
    conversations: createConcierge({
      store,
      clock,
      ...briefModel(deps.concierge, log),
      known: () =>
        gatherKnown(store, {
          freeAddresses: (id) => freeAddressesOf(store.db, id),
          issuers: issuerIds,
          credentials: () => deps.credentials.list(),
        }),
    }),
    stopped: runner.start(signal),
  };
}

/** The model that helps to read, when one is configured. */
function briefModel({ model_url: url, model, model_key_file: file }: UpConfig['concierge'], log: Logger) {
  if (url === undefined) return {};
  const key = async () => (file === undefined ? undefined : (await readFile(file, 'utf8')).trim());
  return { model: createBriefModel({ url, model, key }, log) };
}

function certificatePort(store: Store, certificates: Certificates): IngressDeps['certificates'] {
  const known = (view: CertificateView): KnownCertificate => ({
    id: view.id,
    names: view.names,
    status: view.status,
    attempts: view.attempts,
    ...(view.served !== undefined && {
      servedIssuer: view.served.issuer,
      notAfter: view.served.notAfter,
      fingerprint: view.served.fingerprint,
    }),
    ...(view.nextAttemptAt !== undefined && { nextAttemptAt: view.nextAttemptAt }),
    ...(view.lastProblem !== undefined && { problem: view.lastProblem }),
  });
  return {
    async find(hostname, issuer) {
      const wildcard = hostname.replace(/^[^.]+/, '*');
      const lists = [hostname, wildcard].map((prefix) => certificates.list({ prefix }, { limit: 100 }));
      const fitting = (await Promise.all(lists))
        .flat()
        .filter(({ kind, names, issuers }) => kind === 'acme' && issuers[0] === issuer && covers(names, hostname));
      return bestOf(fitting.map(known), hostname, issuer);
    },
    async get(id) {
      const view = await certificates.get(id);
      return view && known(view);
    },
    news: async (id, after) =>
      (await certificates.events(id, after, 100))
        .filter(({ step }) => step !== 'problem')
        .map(({ seq, at, detail }) => ({ line: seq, at, words: detail })),
    ensure: (wish) => certificates.ensure(wish),
    tryNow: (id) => certificates.renew(id),
    refer: (id, wish) => certificates.refer(id, wish),
    async release(reference, except) {
      for (const id of await certificatesOfReference(store.db, reference))
        if (id !== except) await certificates.release(reference, id);
    },
  };
}

const covers = (names: readonly string[], hostname: string): boolean =>
  names.some((name) => matchesName(name, hostname));

/** One that is served goes before one that is not; then its own before one that others need too; then the longest. */
function bestOf(fitting: readonly KnownCertificate[], hostname: string, issuer: string): KnownCertificate | undefined {
  const rank = (one: KnownCertificate) => [
    Number(one.servedIssuer === issuer),
    Number(one.names.join() === hostname),
    one.notAfter ?? 0,
  ];
  const order = (a: readonly number[], b: readonly number[]) =>
    b.map((value, index) => value - a[index]!).find((difference) => difference !== 0) ?? 0;
  return fitting.toSorted((a, b) => order(rank(a), rank(b)))[0];
}

const massRevocation = (engine: MassRevocation): MassRevocationPort => ({
  rehearse: engine.rehearse,
  start: (filter, reason, perHour) => engine.start(filter, reasonOf(reason), perHour),
});

const reasonOf = (reason: string): RevocationReason =>
  (Object.keys(REVOCATION_REASONS) as RevocationReason[]).find((word) => word === reason) ?? 'unspecified';

const revocation = (certificates: Certificates): Parameters<typeof revokeCertificatesKind>[0] => ({
  async get(id) {
    const view = await certificates.get(id);
    return view && { id, names: view.names, revoked: view.status === 'revoked' };
  },
  revoke: (id, reason, replace) => certificates.revoke(id, reasonOf(reason), replace),
});

/** Where each publisher stands with an exposure. One that is withdrawn is done where nothing of it is on record. */
async function compose(store: Store, routes: IngressRoutes, id: string) {
  const states = await routes.deliveries(id);
  const wanted = states.map(({ publisher, state, problem }) => ({
    publisher,
    delivered: state !== 'wanted',
    ...(problem !== undefined && { problem }),
  }));
  if (wanted.length > 0) return wanted;
  const left = await deliveriesOf(store.db, [id]);
  return left
    .filter(({ delivered }) => delivered !== null)
    .map(({ publisher }) => ({ publisher, delivered: false, problem: 'it still has the route' }));
}

const LOOK_MS = 10_000;

/** Addresses as the zone's own servers, or else resolvers, answer; the machine's own resolver only for want of those. */
function addressLookup(views: DnsViews): AddressLookupPort {
  return {
    async lookup(hostname) {
      try {
        const { answers, splitHorizon } = await views.look(hostname, AbortSignal.timeout(LOOK_MS));
        for (const view of ['authoritative', 'resolver', 'system'] as const) {
          // That there is no such name is an answer too, but not of the machine's own resolver where others were asked.
          const none = view !== 'system' || answers.every((answer) => answer.view === 'system');
          const good = answers.filter(
            ({ view: from, problem }) => from === view && (problem === undefined || (none && problem === 'NXDOMAIN')),
          );
          if (good.length > 0) return { addresses: [...new Set(good.flatMap(({ addresses }) => addresses))] };
        }
        // Where the zone's servers were not found there is nobody who answered.
        const words = answers
          .map(({ server, problem }) => (server === 'not found' ? problem : `${server} answers ${problem}`))
          .slice(0, 5);
        return { addresses: [], problem: splitHorizon ?? (words.join(', ') || 'no name server could be asked') };
      } catch (error) {
        return { addresses: [], problem: errorText(error) };
      }
    },
  };
}
