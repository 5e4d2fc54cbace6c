import type { Route } from '../../picture/index.ts';
import type { KubeObject } from './objects.ts';
import type { GroupNames } from './render.ts';
import { serviceOf } from './services.ts';
import type { KubernetesSettings } from './settings.ts';

const GATEWAY = 'gateway.networking.k8s.io/v1';

/** A group in Gateway API: an HTTPRoute, and a Gateway with a listener of its host where a class is configured. */
export function renderGatewayRoutes(
  routes: readonly Route[],
  names: GroupNames,
  secretName: string | undefined,
  settings: KubernetesSettings,
): KubeObject[] {
  const { gateway = { className: 'traefik' }, gatewayPorts: { https = 443, http = 80 } = {} } = settings;
  const host = routes[0]!.host;
  const objects: KubeObject[] = [];
  const plain = routes.some((route) => route.plain === 'serve');
  if ('className' in gateway)
    objects.push({
      apiVersion: GATEWAY,
      kind: 'Gateway',
      metadata: { name: names.route },
      spec: {
        gatewayClassName: gateway.className,
        listeners: [
          ...(secretName === undefined
            ? []
            : [
                {
                  name: 'https',
                  protocol: 'HTTPS',
                  port: https,
                  hostname: host,
                  tls: { mode: 'Terminate', certificateRefs: [{ kind: 'Secret', name: secretName }] },
                },
              ]),
          ...(plain || secretName === undefined
            ? [{ name: 'http', protocol: 'HTTP', port: http, hostname: host }]
            : []),
        ],
      },
    });
  const parent =
    'className' in gateway
      ? { name: names.route }
      : { name: gateway.name, ...(gateway.namespace && { namespace: gateway.namespace }) };
  objects.push({
    apiVersion: GATEWAY,
    kind: 'HTTPRoute',
    metadata: { name: names.route },
    spec: {
      parentRefs: [parent],
      hostnames: [host],
      rules: routes.map((route, index) => {
        const backendRefs = route.upstreams.map((upstream, i) => {
          const own = `${names.service}${index === 0 && i === 0 ? '' : `-${index}${i}`}`;
          const { reference, objects: made } = serviceOf(upstream, own, settings.namespace);
          objects.push(...made);
          const { name, port, weight, namespace } = reference;
          return { name, port, ...(namespace && { namespace }), ...(weight !== undefined && { weight }) };
        });
        const filters = renderFilters(route);
        return {
          matches: [{ path: { type: 'PathPrefix', value: route.path } }],
          ...(filters.length > 0 && { filters }),
          ...(backendRefs.length > 0 && { backendRefs }),
          ...(route.timeouts?.requestMs !== undefined && { timeouts: { request: `${route.timeouts.requestMs}ms` } }),
        };
      }),
    },
  });
  return objects;
}

function renderFilters({ redirect, request, response, path }: Route): object[] {
  const filters: object[] = [];
  const pairs = (set: Readonly<Record<string, string>> = {}) =>
    Object.entries(set).map(([name, value]) => ({ name, value }));
  const change = (type: string, field: string, headers: { set: object[]; remove: readonly string[] }) => {
    if (headers.set.length + headers.remove.length > 0)
      filters.push({
        type,
        [field]: {
          ...(headers.set.length > 0 && { set: headers.set }),
          ...(headers.remove.length > 0 && { remove: headers.remove }),
        },
      });
  };
  if (redirect !== undefined) {
    const to = new URL(redirect.to);
    const kept = redirect.status === undefined || redirect.status === 301 || redirect.status === 308;
    filters.push({
      type: 'RequestRedirect',
      requestRedirect: {
        scheme: to.protocol.slice(0, -1),
        hostname: to.hostname,
        ...(to.port !== '' && { port: Number(to.port) }),
        // The two that every implementation has.
        statusCode: kept ? 301 : 302,
      },
    });
  }
  change('RequestHeaderModifier', 'requestHeaderModifier', {
    set: pairs(request?.headers?.set),
    remove: request?.headers?.remove ?? [],
  });
  const hsts = response?.hsts;
  const policy =
    hsts &&
    `max-age=${hsts.maxAgeSeconds}${hsts.includeSubDomains ? '; includeSubDomains' : ''}${hsts.preload ? '; preload' : ''}`;
  change('ResponseHeaderModifier', 'responseHeaderModifier', {
    set: [...pairs(response?.headers?.set), ...(policy ? [{ name: 'Strict-Transport-Security', value: policy }] : [])],
    remove: response?.headers?.remove ?? [],
  });
  const strip = request?.stripPrefix === true && path !== '/';
  const fixed = typeof request?.host === 'object' ? request.host.fixed : undefined;
  if (strip || fixed !== undefined)
    filters.push({
      type: 'URLRewrite',
      urlRewrite: {
        ...(fixed !== undefined && { hostname: fixed }),
        ...(strip && { path: { type: 'ReplacePrefixMatch', replacePrefixMatch: '/' } }),
      },
    });
  return filters;
}
