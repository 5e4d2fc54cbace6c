import type { Static } from 'typebox';
import type { Clock, Logger } from '../base/index.ts';
import { Fault } from '../base/index.ts';
import type { DelegatedCertificate } from '../domains/index.ts';
import type { PictureWriter } from '../picture/index.ts';
import {
  createDomainSource,
  createEdgePublisher,
  createIngressRoutes,
  createKubeClient,
  createKubernetesPublisher,
  createServedCertificates,
  createServingFindings,
  createServingWatch,
  createTlsProbe,
  createTraefikFilePublisher,
  createTraefikHttpPublisher,
  type IngressRoutes,
  inClusterAccess,
  type KubernetesSettings,
  kubeconfigAccess,
  type Publisher,
  type RouteSource,
  type ServingFindings,
  type ServingWatch,
  type TraefikSettings,
} from '../publish/index.ts';
import type { SecretStore } from '../secrets/index.ts';
import type { Store } from '../store/index.ts';
import type { PublishConfig } from './publish-config.ts';

type Config = Static<typeof PublishConfig>;

export interface PublishingDeps {
  readonly store: Store;
  readonly secrets: SecretStore;
  readonly picture: PictureWriter;
  /** Where routes come from besides apps and their domains. */
  readonly sources: readonly RouteSource[];
  /** Where the edge listens, and the port by which clients reach it. */
  readonly edgeHttps: { readonly host: string; readonly port: number; readonly publicPort: number };
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** Told what a cluster's cert-manager makes of a domain's certificate. */
  readonly onDelegated: (domainId: string, status: DelegatedCertificate | undefined) => Promise<void>;
}

export interface Publishing {
  readonly routes: IngressRoutes;
  /** Where clients are shown something else than what was issued. */
  readonly findings: ServingFindings;
  /** Lets cert-manager begin anew with a domain's certificate, where that is left to it. */
  readonly restartDelegated?: (domainId: string) => Promise<void>;
  readonly stopped: Promise<unknown>;
}

/** Starts a publisher for the edge and for every place that is configured, and who looks at what is served there. */
export function startPublishing(config: Config, deps: PublishingDeps): Publishing {
  const { store, secrets, picture, clock, log, signal } = deps;
  const sources = [createDomainSource(store.db), ...deps.sources];
  const certificates = createServedCertificates(store.db, secrets);
  const common = { store, sources, certificates, clock, log };
  const watches: ServingWatch[] = [];
  /** What a publisher tells of its deliveries, where there is an address to look at. */
  const watched = (publisher: string, address: { host: string; port: number } | undefined) => {
    if (address === undefined) return common;
    const probe = createTlsProbe(() => address);
    const watch = createServingWatch({ ...common, publisher, probe });
    watches.push(watch);
    return { ...common, onDelivered: (items: readonly string[]) => watch.delivered(items) };
  };

  const { traefik_files: files, traefik_http: http, kubernetes } = config;
  const { onDelivered } = { onDelivered: undefined, ...watched('edge', deps.edgeHttps) };
  const publishers: Publisher[] = [
    createEdgePublisher({
      ...{ store, secrets, picture, clock, log, sources: deps.sources, httpsPort: deps.edgeHttps.publicPort },
      ...(onDelivered && { onDelivered }),
    }),
  ];
  if (files !== undefined)
    publishers.push(
      createTraefikFilePublisher(watched('traefik-files', parseAddress(files.probe)), {
        ...traefikSettings(files),
        directory: files.directory,
        ...(files.seen_as !== undefined && { seenAs: files.seen_as }),
      }),
    );
  const document =
    http && createTraefikHttpPublisher(watched('traefik-http', parseAddress(http.probe)), traefikSettings(http));
  if (document !== undefined) publishers.push(document.publisher);
  const cluster =
    kubernetes &&
    createKubernetesPublisher(
      {
        ...watched('kubernetes', parseAddress(kubernetes.probe)),
        client: createKubeClient(clusterAccess(kubernetes)),
        onCertificate: (item, name, status) =>
          deps.onDelegated(item, status && { name, namespace: kubernetes.namespace, ...status }),
      },
      kubernetesSettings(kubernetes),
    );
  if (cluster !== undefined) publishers.push(cluster);
  const routes = createIngressRoutes({
    db: store.db,
    sources,
    certificates,
    publishers,
    ...(document && { document: document.document }),
  });
  // Where something else gets the certificates, ours are not meant to be shown.
  const ours = watches.filter(({ publisher }) => !publishers.some((at) => at.name === publisher && groupsOnly(at)));
  const findings = createServingFindings({ db: store.db, sources, certificates, clock, watches: ours });
  const loops = [...publishers, ...watches].map((loop) => loop.run(signal));
  return { routes, findings, ...(cluster && { restartDelegated: cluster.restart }), stopped: Promise.all(loops) };
}

const groupsOnly = (publisher: Publisher & { readonly groupsOnly?: boolean }) => publisher.groupsOnly === true;

function traefikSettings(config: Omit<NonNullable<Config['traefik_http']>, 'probe'>): TraefikSettings {
  const { https_entry_point: https, http_entry_point: http, redirect_plain, challenge_responder, client_ca } = config;
  return {
    entryPoints: { ...(https && { https }), ...(http && { http }) },
    ...(redirect_plain !== undefined && { redirectPlain: redirect_plain }),
    ...(challenge_responder && { challengeResponder: challenge_responder }),
    ...(client_ca && { clientCa: client_ca }),
  };
}

type Cluster = NonNullable<Config['kubernetes']>;

function clusterAccess({ kubeconfig, context }: Cluster) {
  // Of the environment only the two variables that Kubernetes itself sets in every pod are looked at.
  const access = kubeconfig === undefined ? inClusterAccess(process.env) : kubeconfigAccess(kubeconfig, context);
  if (access !== undefined) return access;
  throw new Fault({
    code: 'invalid_config',
    detail: 'publish.kubernetes.kubeconfig is missing, and this is no pod of a cluster',
    party: 'operator',
    retry: 'never',
    field: 'publish.kubernetes.kubeconfig',
  });
}

function kubernetesSettings(config: Cluster): KubernetesSettings {
  const { issuer, wildcard_issuer, ingress_class, gateway_class, gateway, client_ca_secret, redirect_plain } = config;
  const { gateway_https_port: https, gateway_http_port: http } = config;
  const clusterIssuer = (name: string) => ({ name, kind: 'ClusterIssuer' as const });
  const [serviceName, servicePort] = (config.challenge_service ?? '').split(':');
  return {
    namespace: config.namespace,
    certificates: config.certificates,
    routes: config.routes,
    ...(issuer && { issuer: clusterIssuer(issuer) }),
    ...(wildcard_issuer && { wildcardIssuer: clusterIssuer(wildcard_issuer) }),
    ...(ingress_class && { ingressClass: ingress_class }),
    ...(gateway ? { gateway: { name: gateway } } : gateway_class && { gateway: { className: gateway_class } }),
    gatewayPorts: { ...(https !== undefined && { https }), ...(http !== undefined && { http }) },
    ...(client_ca_secret && { clientCaSecret: client_ca_secret }),
    ...(redirect_plain !== undefined && { redirectPlain: redirect_plain }),
    ...(serviceName && { challengeService: { name: serviceName, port: Number(servicePort ?? 80) } }),
  };
}

function parseAddress(text: string | undefined): { host: string; port: number } | undefined {
  const match = /^(?:\[(.+)\]|([^:]+)):(\d+)$/.exec(text ?? '');
  return match === null ? undefined : { host: (match[1] ?? match[2])!, port: Number(match[3]) };
}
