import { randomBytes } from 'node:crypto';
import { Socket } from 'node:net';
import type { ClientConnection, ClientOwner } from '../client/connection.ts';
import { Http1Client } from '../client/http1-client.ts';
import { Http2Client } from '../client/http2-client.ts';
import { NodeHttp1Client } from '../client/node/node-http1-client.ts';
import { NodeHttp2Client } from '../client/node/node-http2-client.ts';
import { ConnectionContext } from '../forward/connection-context.ts';
import type { Core } from '../forward/core.ts';
import { createService, disposeService } from '../forward/service.ts';
import { createAddressSet, plainAddress } from '../limits/addresses.ts';
import { createConnectionCount } from '../limits/connections.ts';
import { createUntold } from '../limits/counted.ts';
import { createRequestRate, type RequestRate } from '../limits/rate.ts';
import { createRouteTable } from '../routing/route-table.ts';
import { createPools } from '../upstream/pools.ts';
import type { WireSocket } from '../wire/wire-socket.ts';
import type { ConnectionInfo, Plane, PlaneOptions, PlaneSettings } from './types.ts';

const TICK_MS = 500;

export function createPlane(options: PlaneOptions): Plane {
  const { clock, log, routes, observer = {} } = options;
  let { settings } = options;
  const untold = { requests: createUntold(), connections: createUntold() };
  const compileAnew = () => compile(settings, (key) => untold.requests.add(key, 1));
  let compiled = compileAnew();
  let draining = false;
  const connections = new Set<ClientConnection>();
  const stop = new AbortController();
  const pools = createPools({
    clock,
    log,
    settings: () => settings,
    changed: (state) => observer.upstreamHealth?.(state),
  });
  const table = createRouteTable(
    (host) => routes.routesOf(host),
    // No request goes to an upstream that ends TLS itself; the plain listener redirects to it.
    (route) => createService(route.tls === 'passthrough' ? { ...route, upstreams: [] } : route, pools),
    disposeService,
  );
  const count = createConnectionCount(
    () => ({ all: settings.limits.connections, perAddress: settings.limits.connectionsPerAddress }),
    (address) => compiled.exempt(address),
    untold.connections.add,
  );
  const core: Core = {
    clock,
    log,
    observer,
    table,
    get settings() {
      return settings;
    },
    get draining() {
      return draining;
    },
    trusted: (address) => compiled.trusted(address),
    elapsed: () => performance.now(),
    takeRequest: (address) => compiled.rate?.take(address, clock.now()) ?? true,
    retryAfter: () => compiled.rate?.retryAfter() ?? 1,
    newRequestId: createRequestIds(),
  };
  let whenEmpty: (() => void) | undefined;
  const owner: ClientOwner = {
    closed(connection) {
      if (!connections.delete(connection)) return;
      observer.connection?.('closed', connection.context.info);
      if (connections.size === 0) whenEmpty?.();
    },
  };

  const cutAll = () => {
    for (const connection of connections) connection.destroy();
  };
  void (async () => {
    for (;;) {
      await clock.sleep(TICK_MS, stop.signal);
      const now = clock.now();
      for (const connection of connections) connection.tick(now);
      pools.tick(now);
    }
  })().catch(() => {});

  return {
    accept(socket, info) {
      const connection = createConnection(owner, new ConnectionContext(core, normal(info)), socket);
      connections.add(connection);
      observer.connection?.('opened', info);
      connection.start();
      if (draining) connection.drain();
    },
    admit(address) {
      const reason = count.admit(plainAddress(address));
      if (reason !== undefined) observer.refused?.(reason, address);
      return reason === undefined;
    },
    release: (address) => count.release(plainAddress(address)),
    routesChanged: (hosts) => table.forget(hosts),
    configure(next) {
      settings = next;
      compiled = compileAnew();
    },
    async drain(deadlineMs) {
      draining = true;
      for (const connection of connections) connection.drain();
      if (connections.size > 0) {
        const waiting = new AbortController();
        const empty = new Promise<void>((resolve) => {
          whenEmpty = resolve;
        });
        await Promise.race([empty, clock.sleep(deadlineMs, waiting.signal).catch(() => {})]);
        waiting.abort();
      }
      cutAll();
    },
    counted: () => ({ requests: untold.requests.take(), connections: untold.connections.take() }),
    heard({ requests, connections: others, whole }) {
      if (whole === true) count.forgetOthers();
      const now = clock.now();
      for (const [key, number] of requests) compiled.rate?.heard(key, number, now);
      for (const [key, number] of others) count.heard(key, number);
    },
    connections: () =>
      [...connections].map(({ context, openedAt, protocol, requests, active }) => ({
        listener: context.info.listener.id,
        remoteAddress: context.info.remoteAddress,
        protocol,
        openedAt,
        requests,
        active,
      })),
    upstreams: () => pools.states(),
    close() {
      stop.abort();
      cutAll();
      table.forget('all');
      pools.close();
    },
  };
}

function createConnection(owner: ClientOwner, context: ConnectionContext, socket: WireSocket): ClientConnection {
  const isHttp2 = context.info.alpn === 'h2';
  // Node's modules take streams; a connection on bare handles was accepted before the engine was changed.
  if (context.core.settings.protocolEngine === 'node' && socket instanceof Socket) {
    const NodeConnection = isHttp2 ? NodeHttp2Client : NodeHttp1Client;
    return new NodeConnection(owner, context, socket);
  }
  const Connection = isHttp2 ? Http2Client : Http1Client;
  return new Connection(owner, context, socket);
}

const normal = (info: ConnectionInfo): ConnectionInfo => ({
  ...info,
  remoteAddress: plainAddress(info.remoteAddress),
  localAddress: plainAddress(info.localAddress),
});

interface Compiled {
  readonly trusted: (address: string) => boolean;
  readonly exempt: (address: string) => boolean;
  readonly rate: RequestRate | undefined;
}

function compile({ trustedProxies, limits }: PlaneSettings, told: (key: string) => void): Compiled {
  const exempt = createAddressSet(limits.exempt);
  const rate = limits.requestsPerAddress;
  return {
    trusted: createAddressSet(trustedProxies),
    exempt,
    rate: rate === undefined ? undefined : createRequestRate(rate.perSecond, rate.burst, exempt, told),
  };
}

/** Ids that are unique, not secret: a random half for the process and a count. */
function createRequestIds(): () => string {
  const prefix = randomBytes(10).toString('hex');
  let next = 0;
  return () => `${prefix}${(next++).toString(16).padStart(12, '0')}`;
}
