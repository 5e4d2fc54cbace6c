import { Fault, type FaultDetails } from '../../base/index.ts';
import type { Route, ServedCertificate } from '../../picture/index.ts';
import { isWildcard } from '../../x509/index.ts';
import type { RouteGroup } from '../route-group.ts';
import { dashed, resourceName } from './names.ts';
import type { KubeObject } from './objects.ts';
import { renderGatewayRoutes } from './render-gateway.ts';
import { renderIngress } from './render-ingress.ts';
import { CLIENT_AUTH_NAME, renderTraefikRoutes } from './render-traefik.ts';
import { serviceOf } from './services.ts';
import { DEFAULT_ISSUER, type IssuerReference, type KubernetesSettings } from './settings.ts';

/** Names of what a group becomes. */
export interface GroupNames {
  readonly certificate: string;
  readonly secret: string;
  readonly route: string;
  readonly service: string;
}

/** `isTaken` says whether another item has a name already. */
export function groupNames(group: RouteGroup, isTaken: (name: string) => boolean): GroupNames {
  const name = (prefix: string) => resourceName(prefix, group, isTaken);
  return { certificate: name('cert'), secret: name('tls'), route: name('route'), service: name('to') };
}

const RENDERERS = {
  traefik: renderTraefikRoutes,
  gateway: renderGatewayRoutes,
  ingress: renderIngress,
} satisfies Record<KubernetesSettings['routes'], unknown>;

/**
 * Every object that a group becomes. Throws a `Fault` that is not worth retrying, naming everything that the chosen kinds
 * cannot say and without which the route would not be what was asked for.
 */
export function renderGroupObjects(group: RouteGroup, names: GroupNames, settings: KubernetesSettings): KubeObject[] {
  const problems = group.routes.flatMap((route) => unsupported(route, settings));
  if (problems.length > 0)
    throw new Fault({
      code: 'unsupported_by_cluster',
      detail: `${group.host} cannot be served so: ${problems.map(({ detail }) => detail).join('; ')}`,
      party: 'operator',
      retry: 'never',
      problems,
    });
  const terminated = group.routes.some(({ tls }) => tls !== 'passthrough');
  const delegated = settings.certificates === 'delegated' && terminated;
  const secret = delegated
    ? names.secret
    : terminated && group.certificateId !== undefined
      ? certificateSecretName(group.certificateId)
      : undefined;
  const routes = RENDERERS[settings.routes](group.routes, names, secret, settings);
  return delegated ? [renderCertificate(group, names, settings), ...routes] : routes;
}

function renderCertificate(group: RouteGroup, names: GroupNames, settings: KubernetesSettings): KubeObject {
  return {
    apiVersion: 'cert-manager.io/v1',
    kind: 'Certificate',
    metadata: { name: names.certificate },
    spec: { secretName: names.secret, issuerRef: issuerOf(group, settings), dnsNames: [group.host] },
  };
}

function issuerOf({ host, issuer }: RouteGroup, settings: KubernetesSettings): IssuerReference {
  // What the domain itself asks for is a ClusterIssuer of that name.
  if (issuer !== undefined) return { name: issuer, kind: 'ClusterIssuer' };
  return (isWildcard(host) ? settings.wildcardIssuer : undefined) ?? settings.issuer ?? DEFAULT_ISSUER;
}

export const certificateSecretName = (certificateId: string): string => dashed(`tls-${certificateId}`);

/** A certificate of ours as the Secret that routes name. */
export const renderCertificateSecret = ({ id, chain, key }: ServedCertificate): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Secret',
  type: 'kubernetes.io/tls',
  metadata: { name: certificateSecretName(id) },
  data: { 'tls.crt': Buffer.from(chain).toString('base64'), 'tls.key': Buffer.from(key).toString('base64') },
});

/** What does not come from any route: the way for challenges, the redirect to https, and options that routes name. */
export function renderBaseObjects(settings: KubernetesSettings): KubeObject[] {
  if (settings.routes !== 'traefik') return [];
  const apiVersion = 'traefik.io/v1alpha1';
  const web = [settings.entryPoints?.http ?? 'web'];
  const objects: KubeObject[] = [];
  if (settings.certificates === 'native' && settings.challengeService !== undefined)
    objects.push({
      apiVersion,
      kind: 'IngressRoute',
      metadata: { name: 'gatehouse-acme-challenge' },
      spec: {
        entryPoints: web,
        // Above anything that routes have, so that no catch-all can swallow a challenge.
        routes: [
          {
            kind: 'Rule',
            match: 'PathPrefix(`/.well-known/acme-challenge/`)',
            priority: 1_000_000,
            services: [settings.challengeService],
          },
        ],
      },
    });
  if (settings.redirectPlain === true)
    objects.push(
      {
        apiVersion,
        kind: 'Middleware',
        metadata: { name: 'gatehouse-to-https' },
        spec: { redirectScheme: { scheme: 'https', permanent: true } },
      },
      {
        apiVersion,
        kind: 'IngressRoute',
        metadata: { name: 'gatehouse-to-https' },
        spec: {
          entryPoints: web,
          routes: [
            {
              kind: 'Rule',
              match: 'PathPrefix(`/`)',
              priority: 1,
              middlewares: [{ name: 'gatehouse-to-https' }],
              services: [{ kind: 'TraefikService', name: 'noop@internal' }],
            },
          ],
        },
      },
    );
  if (settings.clientCaSecret !== undefined)
    objects.push({
      apiVersion,
      kind: 'TLSOption',
      metadata: { name: CLIENT_AUTH_NAME },
      spec: {
        clientAuth: { secretNames: [settings.clientCaSecret], clientAuthType: 'RequireAndVerifyClientCert' },
      },
    });
  return objects;
}

function unsupported(route: Route, { routes: kinds, clientCaSecret, namespace }: KubernetesSettings): FaultDetails[] {
  const problems: string[] = [];
  const { upstreams, request, response } = route;
  if (upstreams.some(({ url }) => url.startsWith('unix:'))) problems.push('a cluster connects to no unix sockets');
  if (route.clientCertificate === 'required' && (kinds !== 'traefik' || clientCaSecret === undefined))
    problems.push('client certificates need routes of Traefik’s kinds, and a Secret with their CA');
  if (route.tls === 'passthrough' && kinds !== 'traefik') problems.push('passing TLS through needs Traefik’s kinds');
  if (route.tls !== 'passthrough' && upstreams.some(({ proxyProtocol }) => proxyProtocol !== undefined))
    problems.push('no PROXY protocol header is sent to HTTP services');
  if (kinds === 'ingress' && (route.redirect ?? request ?? response) !== undefined)
    problems.push('an Ingress cannot redirect or change requests and answers');
  if (kinds === 'ingress' && upstreams.some(({ url }) => isInOtherNamespace(url, namespace)))
    problems.push('an Ingress reaches Services of its own namespace only');
  if (kinds === 'ingress' && upstreams.length > 1) problems.push('an Ingress sends a path to one upstream');
  if (kinds !== 'traefik' && upstreams.some(({ tls, url }) => tls !== undefined || url.startsWith('https:')))
    problems.push('TLS to upstreams needs Traefik’s kinds');
  return problems.map((detail) => ({ code: 'unsupported_by_cluster', detail, party: 'operator', retry: 'never' }));
}

const isInOtherNamespace = (url: string, namespace: string): boolean =>
  !url.startsWith('unix:') && serviceOf({ url }, '', namespace).reference.namespace !== undefined;
