import type { Route } from '../../picture/index.ts';
import { renderMiddlewares } from '../traefik/middlewares.ts';
import { httpRule, rulePriority, sniRule } from '../traefik/rule.ts';
import { renderTransport } from '../traefik/transport.ts';
import type { KubeObject } from './objects.ts';
import type { GroupNames } from './render.ts';
import { serviceOf } from './services.ts';
import type { KubernetesSettings } from './settings.ts';

const TRAEFIK = 'traefik.io/v1alpha1';
export const CLIENT_AUTH_NAME = 'gatehouse-client-auth';

/** A group in the kinds of Traefik's own provider. */
export function renderTraefikRoutes(
  routes: readonly Route[],
  names: GroupNames,
  secretName: string | undefined,
  settings: KubernetesSettings,
): KubeObject[] {
  const objects: KubeObject[] = [];
  const rules = routes.map((route, i) => {
    const { objects: own, rule } = renderRoute(route, i, names, settings);
    objects.push(...own);
    return { route, rule };
  });
  const https = settings.entryPoints?.https ?? 'websecure';
  const through = rules.filter(({ route }) => route.tls === 'passthrough');
  const ended = rules.filter(({ route }) => route.tls !== 'passthrough');
  const plain = ended.filter(({ route }) => route.plain === 'serve');
  const clientAuth = routes.some(({ clientCertificate }) => clientCertificate === 'required');
  const tls = { ...(secretName && { secretName }), ...(clientAuth && { options: { name: CLIENT_AUTH_NAME } }) };
  const object = (kind: string, name: string, spec: object) =>
    objects.push({ apiVersion: TRAEFIK, kind, metadata: { name }, spec });
  if (ended.length > 0)
    object('IngressRoute', names.route, { entryPoints: [https], routes: ended.map(({ rule }) => rule), tls });
  if (plain.length > 0)
    object('IngressRoute', `${names.route}-plain`, {
      entryPoints: [settings.entryPoints?.http ?? 'web'],
      routes: plain.map(({ rule }) => rule),
    });
  if (through.length > 0)
    object('IngressRouteTCP', names.route, {
      entryPoints: [https],
      routes: through.map(({ rule }) => rule),
      tls: { passthrough: true },
    });
  return objects;
}

function renderRoute(route: Route, index: number, names: GroupNames, { namespace }: KubernetesSettings) {
  const objects: KubeObject[] = [];
  const number = index === 0 ? '' : `-${index}`;
  const middlewares = route.tls === 'passthrough' ? [] : renderMiddlewares(route);
  for (const [kind, spec] of middlewares)
    objects.push({
      apiVersion: TRAEFIK,
      kind: 'Middleware',
      metadata: { name: `${names.route}${number}-${kind}` },
      spec,
    });
  const transport = renderTransport(route);
  if (transport !== undefined && route.tls !== 'passthrough') {
    const { rootCAs, ...spec } = transport;
    const name = `${names.route}${number}`;
    // Here a CA is not text but the name of a ConfigMap, with the PEM under this key.
    if (rootCAs !== undefined)
      objects.push({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { 'ca.crt': rootCAs.join('\n') } });
    objects.push({
      apiVersion: TRAEFIK,
      kind: 'ServersTransport',
      metadata: { name },
      spec: { ...spec, ...(rootCAs && { rootCAs: [{ configMap: name }] }) },
    });
  }
  const services = route.upstreams
    .filter(({ weight }) => weight !== 0)
    .map((upstream, i) => {
      const own = `${names.service}${index === 0 && i === 0 ? '' : `-${index}${i}`}`;
      const { reference, objects: made } = serviceOf(upstream, own, namespace);
      objects.push(...made);
      const { name, port, scheme, weight, namespace: elsewhere } = reference;
      const common = {
        name,
        port,
        ...(elsewhere && { namespace: elsewhere }),
        ...(weight !== undefined && { weight }),
      };
      if (route.tls === 'passthrough')
        return {
          ...common,
          ...(upstream.proxyProtocol && { proxyProtocol: { version: upstream.proxyProtocol === 'v1' ? 1 : 2 } }),
        };
      return {
        ...common,
        ...(scheme !== 'http' && { scheme }),
        passHostHeader: route.request?.host !== 'upstream',
        ...(route.balance === 'least-connections' && { strategy: 'p2c' }),
        ...(transport && { serversTransport: `${names.route}${number}` }),
      };
    });
  const rule =
    route.tls === 'passthrough'
      ? { match: sniRule(route.host), priority: rulePriority(route), services }
      : {
          kind: 'Rule',
          match: httpRule(route),
          priority: rulePriority(route),
          services: route.redirect === undefined ? services : [{ kind: 'TraefikService', name: 'noop@internal' }],
          ...(middlewares.length > 0 && {
            middlewares: middlewares.map(([kind]) => ({ name: `${names.route}${number}-${kind}` })),
          }),
        };
  return { objects, rule };
}
