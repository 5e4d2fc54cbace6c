import { Fault, type FaultDetails } from '../../base/index.ts';
import type { Route } from '../../picture/index.ts';
import type { RouteGroup } from '../route-group.ts';
import type { Dynamic, HttpRouter, HttpService, Middleware, ServersTransport, TraefikSettings } from './dynamic.ts';
import { renderMiddlewares } from './middlewares.ts';
import { CLIENT_AUTH_OPTIONS, entryPointsOf, routerName } from './names.ts';
import { renderPassthrough } from './passthrough.ts';
import { httpRule, rulePriority } from './rule.ts';
import { renderTransport } from './transport.ts';

/**
 * A group in Traefik's words. Throws a `Fault` that is not worth retrying, naming everything that Traefik cannot do and
 * without which the route would not be what was asked for.
 */
export function renderGroup(group: RouteGroup, settings: TraefikSettings = {}): Dynamic {
  const problems = group.routes.flatMap((route) => unsupported(route, settings));
  if (problems.length > 0)
    throw new Fault({
      code: 'unsupported_by_traefik',
      detail: `${group.host} cannot be served by Traefik: ${problems.map(({ detail }) => detail).join('; ')}`,
      party: 'operator',
      retry: 'never',
      problems,
    });
  const through = group.routes.filter(({ tls }) => tls === 'passthrough');
  const ended = group.routes.filter(({ tls }) => tls !== 'passthrough');
  return {
    ...(ended.length > 0 && { http: renderHttp(ended, settings) }),
    ...(through.length > 0 && { tcp: renderPassthrough(through, settings) }),
  };
}

function renderHttp(routes: readonly Route[], settings: TraefikSettings): NonNullable<Dynamic['http']> {
  const routers: Record<string, HttpRouter> = {};
  const services: Record<string, HttpService> = {};
  const middlewares: Record<string, Middleware> = {};
  const serversTransports: Record<string, ServersTransport> = {};
  // Options are chosen by the name in the handshake, before the path is known, so all routers of a host share them.
  const clientAuth = routes.some(({ clientCertificate }) => clientCertificate === 'required');
  for (const route of routes) {
    const name = routerName(route.id);
    const own = renderMiddlewares(route);
    for (const [kind, middleware] of own) middlewares[`${name}-${kind}`] = middleware;
    const transport = renderTransport(route);
    if (transport !== undefined) serversTransports[name] = transport;
    if (route.redirect === undefined) services[name] = renderService(route, transport && name);
    const common = {
      rule: httpRule(route),
      priority: rulePriority(route),
      // A redirect is answered before any service is asked; this one is built in.
      service: route.redirect === undefined ? name : 'noop@internal',
      ...(own.length > 0 && { middlewares: own.map(([kind]) => `${name}-${kind}`) }),
    };
    const { https, http } = entryPointsOf(settings);
    routers[name] = { ...common, entryPoints: [https], tls: clientAuth ? { options: CLIENT_AUTH_OPTIONS } : {} };
    if (route.plain === 'serve') routers[`${name}-plain`] = { ...common, entryPoints: [http] };
  }
  return {
    routers,
    ...(Object.keys(services).length > 0 && { services }),
    ...(Object.keys(middlewares).length > 0 && { middlewares }),
    ...(Object.keys(serversTransports).length > 0 && { serversTransports }),
  };
}

function renderService(route: Route, serversTransport: string | undefined): HttpService {
  const active = route.health?.active;
  const passive = route.health?.passive;
  return {
    loadBalancer: {
      servers: route.upstreams
        .filter(({ weight }) => weight !== 0)
        .map(({ url, weight }) => ({ url, ...(weight !== undefined && { weight }) })),
      passHostHeader: route.request?.host !== 'upstream',
      // Power of two choices is the nearest that Traefik has to the fewest connections.
      ...(route.balance === 'least-connections' && { strategy: 'p2c' as const }),
      ...(active && {
        healthCheck: {
          path: active.path,
          ...(active.intervalMs !== undefined && { interval: milliseconds(active.intervalMs) }),
          ...(active.timeoutMs !== undefined && { timeout: milliseconds(active.timeoutMs) }),
          ...(active.statuses?.length === 1 && { status: active.statuses[0]! }),
        },
      }),
      ...(passive && {
        passiveHealthCheck: {
          ...(passive.restMs !== undefined && { failureWindow: milliseconds(passive.restMs) }),
          ...(passive.failures !== undefined && { maxFailedAttempts: passive.failures }),
        },
      }),
      ...(serversTransport !== undefined && { serversTransport }),
    },
  };
}

/** Go's notation of a duration. */
const milliseconds = (ms: number): string => `${ms}ms`;

/** What would be lost so that the route is not the one that was asked for. What only tunes it may be lost. */
function unsupported(route: Route, settings: TraefikSettings): FaultDetails[] {
  const problems: string[] = [];
  if (route.upstreams.some(({ url }) => url.startsWith('unix:'))) problems.push('it connects to no unix sockets');
  if (route.tls !== 'passthrough') {
    if (route.upstreams.some(({ proxyProtocol }) => proxyProtocol !== undefined))
      problems.push('it sends no PROXY protocol header to HTTP services');
    if (new Set(route.upstreams.map(({ tls }) => JSON.stringify(tls ?? null))).size > 1)
      problems.push('it verifies all upstreams of a route in one way');
    if (route.clientCertificate === 'required' && settings.clientCa === undefined)
      problems.push('client certificates are required and no CA is configured for them');
  }
  return problems.map((detail) => ({ code: 'unsupported_by_traefik', detail, party: 'operator', retry: 'never' }));
}
