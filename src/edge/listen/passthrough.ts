import { connect, type Socket } from 'node:net';
import type { Clock, Logger } from '../../base/index.ts';
import type { Route, Upstream } from '../../picture/index.ts';
import { formatProxyHeader } from './proxy-protocol.ts';
import type { Endpoints } from './tls-listener.ts';

/** Hands connections on as they are, bytes for bytes, to upstreams that end TLS themselves. */
export interface Passthrough {
  /** The route for a server name, if it is of that kind. Remembered until `forget`. */
  routeFor(serverName: string): Route | undefined;
  forget(hosts: ReadonlySet<string> | 'all'): void;
  connect(route: Route, socket: Socket, endpoints: Endpoints, head: Buffer): void;
  open(): number;
  close(): void;
}

export interface PassthroughDeps {
  routesOf(host: string): readonly Route[];
  readonly clock: Clock;
  readonly log: Logger;
}

const REMEMBERED = 10_000;
const CONNECT_MS = 5_000;
const IDLE_MS = 3_600_000;

export function createPassthrough({ routesOf, log }: PassthroughDeps): Passthrough {
  const known = new Map<string, Route | undefined>();
  const open = new Set<Socket>();
  let turn = 0;

  const find = (serverName: string): Route | undefined => {
    const dot = serverName.indexOf('.');
    const exact = routesOf(serverName);
    const routes = exact.length > 0 || dot <= 0 ? exact : routesOf(`*${serverName.slice(dot)}`);
    return routes.find(({ tls }) => tls === 'passthrough');
  };
  const begin = (route: Route, socket: Socket, endpoints: Endpoints, head: Buffer) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    socket.pause();
    const candidates = inTurn(route.upstreams, turn++);
    const next = () => {
      const upstream = candidates.shift();
      if (upstream === undefined) {
        log.warn({ route: route.id, client: endpoints.remoteAddress }, 'no upstream of a passthrough route answers');
        socket.destroy();
        return;
      }
      dial(upstream, route, (remote) => {
        if (remote === undefined) return next();
        if (socket.destroyed) return void remote.destroy();
        if (upstream.proxyProtocol !== undefined) remote.write(formatProxyHeader(upstream.proxyProtocol, endpoints));
        remote.write(head);
        join(socket, remote, route.timeouts?.idleMs ?? IDLE_MS);
      });
    };
    next();
  };

  return {
    routeFor(serverName) {
      if (known.has(serverName)) return known.get(serverName);
      if (known.size >= REMEMBERED) known.clear();
      const route = find(serverName);
      known.set(serverName, route);
      return route;
    },
    forget(hosts) {
      if (hosts === 'all' || hosts.size > 0) known.clear();
    },
    connect: begin,
    open: () => open.size,
    close() {
      for (const socket of open) socket.destroy();
    },
  };
}

/** All that have weight, beginning with the one whose turn it is; each weight is that many turns. */
function inTurn(upstreams: readonly Upstream[], turn: number): Upstream[] {
  const usable = upstreams.filter(({ weight = 1 }) => weight > 0);
  const total = usable.reduce((sum, { weight = 1 }) => sum + weight, 0);
  let left = total === 0 ? 0 : turn % total;
  const first = usable.findIndex(({ weight = 1 }) => {
    left -= weight;
    return left < 0;
  });
  return [...usable.slice(first), ...usable.slice(0, Math.max(0, first))];
}

function dial(upstream: Upstream, route: Route, done: (socket: Socket | undefined) => void): void {
  const socket = connect({ ...targetOf(upstream.url), noDelay: true, allowHalfOpen: true });
  const fail = () => {
    socket.destroy();
    done(undefined);
  };
  socket.setTimeout(route.timeouts?.connectMs ?? CONNECT_MS, fail);
  socket.once('error', fail);
  socket.once('connect', () => {
    socket.setTimeout(0);
    socket.removeListener('timeout', fail);
    socket.removeListener('error', fail);
    done(socket);
  });
}

function targetOf(url: string): { path: string } | { host: string; port: number } {
  if (url.startsWith('unix:')) return { path: url.slice('unix:'.length) };
  const { hostname, port, protocol } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, '');
  return { host, port: Number(port || (protocol === 'https:' ? 443 : 80)) };
}

/** Each side's end is told to the other; an error or a long silence ends both. */
function join(client: Socket, upstream: Socket, idleMs: number): void {
  const cut = () => {
    client.destroy();
    upstream.destroy();
  };
  for (const socket of [client, upstream]) {
    socket.setTimeout(idleMs, cut);
    socket.on('error', cut);
    socket.once('close', cut);
  }
  client.pipe(upstream);
  upstream.pipe(client);
}
