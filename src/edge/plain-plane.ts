import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Route } from '../picture/index.ts';
import type { ConnectionInfo, Plane, PlaneOptions } from './plane/types.ts';

/** A small data plane on Node's HTTP/1.1: routes by host and path prefix to the first http upstream. */
export function createPlane(options: PlaneOptions): Plane {
  const open = new Set<object>();
  const infos = new WeakMap<object, ConnectionInfo>();
  const server = createServer((incoming, outgoing) => {
    const info = infos.get(incoming.socket)!;
    const host = (incoming.headers.host ?? '').replace(/:\d+$/, '').toLowerCase();
    const path = incoming.url ?? '/';
    const token = /^\/\.well-known\/acme-challenge\/([\w-]+)$/.exec(path)?.[1];
    const plain = info.listener.plain;
    if (plain !== undefined) {
      const answer = token === undefined ? undefined : plain.challenge(token, host);
      if (answer !== undefined) return void outgoing.end(answer);
      const port = plain.httpsPort === 443 || plain.httpsPort === undefined ? '' : `:${plain.httpsPort}`;
      return void outgoing.writeHead(308, { location: `https://${host}${port}${path}` }).end();
    }
    const wildcard = `*${host.slice(host.indexOf('.'))}`;
    const routes = [...options.routes.routesOf(host), ...options.routes.routesOf(wildcard)];
    forward(
      routes.find((route) => path.startsWith(route.path)),
      incoming,
      outgoing,
    );
  });
  return {
    accept(socket, info) {
      infos.set(socket, info);
      open.add(socket);
      socket.once('close', () => open.delete(socket));
      server.emit('connection', socket as Socket);
    },
    admit: () => true,
    release: () => {},
    routesChanged: () => {},
    configure: () => {},
    async drain(deadlineMs) {
      const deadline = options.clock.now() + deadlineMs;
      while (open.size > 0 && options.clock.now() < deadline) await options.clock.sleep(20);
      server.closeAllConnections();
    },
    connections: () => [],
    upstreams: () => [],
    close: () => server.closeAllConnections(),
  };
}

function forward(route: Route | undefined, incoming: IncomingMessage, outgoing: ServerResponse): void {
  const url = route?.upstreams[0]?.url;
  if (url === undefined) return void outgoing.writeHead(404).end('no route\n');
  const fail = () => (outgoing.headersSent ? outgoing.destroy() : outgoing.writeHead(502).end('no upstream\n'));
  const { method, headers, url: path } = incoming;
  const upstream = request(new URL(path ?? '/', url), { method, headers }, (answer) => {
    outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(outgoing);
  });
  upstream.on('error', fail);
  incoming.pipe(upstream);
}
