import { type BlockList, createServer, isIPv6, type Server, type Socket } from 'node:net';
import { type Clock, type Logger, limitedLogger } from '../../base/index.ts';
import { DirectConnection } from '../tls/direct-connection.ts';
import { type NodeInside, nodeInside, type SocketName, type TcpHandle } from '../tls/node-inside.ts';
import { createHandshakes } from './handshakes.ts';
import type { HandshakeObserver } from './observer.ts';
import { parseProxyHeader } from './proxy-protocol.ts';
import { takeHandles } from './take-handles.ts';
import type { DirectAccept, Endpoints } from './tls-listener.ts';

export interface PortServerDeps {
  readonly listener: string;
  /** Whose connections begin with a PROXY protocol header, and nobody else's then; undefined for none. */
  proxies(): BlockList | undefined;
  admit(remoteAddress: string): boolean;
  release(remoteAddress: string): void;
  /** A connection that was admitted, paused; `head` was read of it already. Its end is told to `release` from here. */
  accept(socket: Socket, endpoints: Endpoints, head: Buffer | undefined): void;
  /** The same for connections that need no Socket; undefined while each needs one. */
  acceptDirectly(): DirectAccept | undefined;
  readonly observer: HandshakeObserver;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Accepts on one inherited socket: PROXY protocol where it is due, then admission, then the listener's own. */
export interface PortServer {
  sweep(): void;
  /** Stops accepting; what was accepted stays. Resolves when the socket is closed here. */
  close(): Promise<void>;
}

const PROXY_HEADER_MS = 5_000;
const KEEP_ALIVE_SECONDS = 60;
const BACKLOG = 4_096;

/** `at` is a descriptor, or a handle that was sent. */
export function listenOn(at: unknown, deps: PortServerDeps): Promise<PortServer> {
  const waiting = createHandshakes(deps.clock, PROXY_HEADER_MS);
  const log = limitedLogger(deps.log, deps.clock);
  const server = createServer(
    { noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_SECONDS * 1000 },
    (socket) => {
      // A connection that ended before it was accepted has no address.
      const { remoteAddress } = socket;
      if (remoteAddress === undefined) return void socket.destroy();
      socket.on('error', ignore);
      const endpoints = {
        remoteAddress: plainAddress(remoteAddress),
        remotePort: socket.remotePort ?? 0,
        localAddress: plainAddress(socket.localAddress ?? ''),
        localPort: socket.localPort ?? 0,
      };
      const proxies = deps.proxies();
      if (proxies === undefined) return admit(socket, endpoints, undefined);
      if (!contains(proxies, endpoints.remoteAddress))
        return turnAway(socket, endpoints, 'PROXY header from an untrusted address');
      readProxyHeader(socket, endpoints);
    },
  );

  const admit = (socket: Socket, endpoints: Endpoints, head: Buffer | undefined) => {
    const { remoteAddress } = endpoints;
    if (!deps.admit(remoteAddress)) return void socket.destroy();
    socket.once('close', () => deps.release(remoteAddress));
    deps.accept(socket, endpoints, head);
  };
  const turnAway = (socket: Socket, endpoints: Endpoints, reason: string) => {
    waiting.end(socket);
    deps.observer.failed('PROXY protocol');
    deps.log.warn({ listener: deps.listener, client: endpoints.remoteAddress }, `connection refused: ${reason}`);
    socket.destroy();
  };
  const readProxyHeader = (socket: Socket, endpoints: Endpoints) => {
    let have = Buffer.alloc(0);
    waiting.begin(socket);
    socket.once('close', () => waiting.end(socket));
    socket.on('data', function onData(chunk: Buffer) {
      have = Buffer.concat([have, chunk]);
      const result = parseProxyHeader(have);
      if (result.status === 'partial') return;
      socket.removeListener('data', onData);
      if (result.status === 'malformed') return turnAway(socket, endpoints, result.reason);
      waiting.end(socket);
      const rest = have.subarray(result.length);
      admit(socket, result.source ?? endpoints, rest.length > 0 ? rest : undefined);
    });
  };

  const takeDirectly = (tcp: TcpHandle, inside: NodeInside): boolean => {
    const acceptDirectly = deps.acceptDirectly();
    if (acceptDirectly === undefined || deps.proxies() !== undefined) return false;
    const endpoints = endpointsOf(tcp);
    if (endpoints === undefined || !deps.admit(endpoints.remoteAddress)) {
      tcp.close(ignore);
      return true;
    }
    const release = () => deps.release(endpoints.remoteAddress);
    const connection = new DirectConnection(inside, tcp);
    connection.on('close', release);
    acceptDirectly(connection, endpoints, () => {
      const socket = connection.toSocket();
      socket.on('error', ignore);
      return socket.once('close', release);
    });
    return true;
  };

  // One that cannot be accepted (EMFILE, ECONNABORTED) is one connection lost, and no reason to end the worker.
  const accepting = (error: Error) =>
    log.error({ listener: deps.listener, err: error }, 'a connection could not be accepted');
  return opened(server, at, () => waiting.sweep(), accepting).then((opened) => {
    takeHandles(server, nodeInside, KEEP_ALIVE_SECONDS, takeDirectly);
    return opened;
  });
}

function opened(
  server: Server,
  at: unknown,
  sweep: () => void,
  accepting: (error: Error) => void,
): Promise<PortServer> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    const listening = () => {
      server.off('error', reject).on('error', accepting);
      resolve({
        sweep,
        // What waits in the queue is accepted first, so that a socket that no other process holds loses nothing.
        close: () =>
          new Promise((done) =>
            setImmediate(() => {
              server.close();
              done();
            }),
          ),
      });
    };
    if (typeof at === 'number') server.listen({ fd: at, backlog: BACKLOG }, listening);
    else server.listen(at, BACKLOG, listening);
  });
}

const ignore = () => {};

/** A connection that ended before it was accepted has no address. */
function endpointsOf(tcp: TcpHandle): Endpoints | undefined {
  const remote: Partial<SocketName> = {};
  const local: Partial<SocketName> = {};
  if (tcp.getpeername(remote) !== 0 || tcp.getsockname(local) !== 0) return undefined;
  return {
    remoteAddress: plainAddress(remote.address ?? ''),
    remotePort: remote.port ?? 0,
    localAddress: plainAddress(local.address ?? ''),
    localPort: local.port ?? 0,
  };
}

/** IPv4-mapped addresses of a dual-stack socket are the IPv4 addresses they stand for. */
const plainAddress = (address: string) =>
  address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;

const contains = (list: BlockList, address: string) => list.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
