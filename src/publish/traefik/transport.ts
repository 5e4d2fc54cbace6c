import type { Route } from '../../picture/index.ts';
import type { ServersTransport } from './dynamic.ts';

/** How Traefik connects to a route's upstreams, where that differs from its own way. */
export function renderTransport({ upstreams, timeouts }: Route): ServersTransport | undefined {
  const tls = upstreams[0]?.tls;
  const forwardingTimeouts = {
    ...(timeouts?.connectMs !== undefined && { dialTimeout: `${timeouts.connectMs}ms` }),
    ...(timeouts?.requestMs !== undefined && { responseHeaderTimeout: `${timeouts.requestMs}ms` }),
  };
  const transport: ServersTransport = {
    ...(tls?.serverName !== undefined && { serverName: tls.serverName }),
    ...(tls?.ca !== undefined && { rootCAs: [tls.ca] }),
    ...(tls?.insecure === true && { insecureSkipVerify: true }),
    ...(tls?.http2 === false && { disableHTTP2: true }),
    ...(Object.keys(forwardingTimeouts).length > 0 && { forwardingTimeouts }),
  };
  return Object.keys(transport).length > 0 ? transport : undefined;
}
