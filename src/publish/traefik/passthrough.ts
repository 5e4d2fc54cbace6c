import type { Route } from '../../picture/index.ts';
import type { Dynamic, TcpRouter, TcpService, TraefikSettings } from './dynamic.ts';
import { entryPointsOf, routerName } from './names.ts';
import { rulePriority, sniRule } from './rule.ts';

/** Routes whose TLS is not ended here: chosen by SNI, the bytes go on as they are. */
export function renderPassthrough(routes: readonly Route[], settings: TraefikSettings): NonNullable<Dynamic['tcp']> {
  const routers: Record<string, TcpRouter> = {};
  const services: Record<string, TcpService> = {};
  for (const route of routes) {
    const name = routerName(route.id);
    const version = route.upstreams.find(({ proxyProtocol }) => proxyProtocol !== undefined)?.proxyProtocol;
    routers[name] = {
      rule: sniRule(route.host),
      priority: rulePriority(route),
      entryPoints: [entryPointsOf(settings).https],
      service: name,
      tls: { passthrough: true },
    };
    services[name] = {
      loadBalancer: {
        servers: route.upstreams.map(({ url }) => ({ address: addressOf(url) })),
        ...(version && { proxyProtocol: { version: version === 'v1' ? 1 : 2 } }),
      },
    };
  }
  return { routers, services };
}

function addressOf(url: string): string {
  const { hostname, port, protocol } = new URL(url.replace(/^(h2c|tcp|tls):/, 'https:'));
  return `${hostname}:${port === '' ? (protocol === 'http:' ? 80 : 443) : port}`;
}
