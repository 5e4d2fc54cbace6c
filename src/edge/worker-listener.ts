import { type BlockList, BlockList as Blocks, isIPv6, type Socket } from 'node:net';
import type { Clock, Logger } from '../base/index.ts';
import type { HandshakeObserver } from './listen/observer.ts';
import type { Passthrough } from './listen/passthrough.ts';
import type { ListenerSettings } from './listen/settings.ts';
import { createTlsListener, type DirectAccept, type Endpoints, type TlsListener } from './listen/tls-listener.ts';
import type { PictureView } from './picture-view.ts';
import type { ListenerView, Plane } from './plane/index.ts';
import { type ContextCache, createContextCache } from './tls/context-cache.ts';
import { contextOptions } from './tls/policy.ts';
import type { TicketKeys } from './tls/ticket-keys.ts';

export interface WorkerListenerDeps {
  /** Certificates and challenges of this listener. */
  readonly view: PictureView;
  /** http-01 challenges of all listeners: the CA's port 80 may be another listener's. */
  readonly shared: PictureView;
  readonly plane: Plane;
  readonly passthrough: Passthrough;
  readonly observer: HandshakeObserver;
  tickets(): TicketKeys;
  want(serverName: string, address: string): void;
  readonly contexts: number;
  /** That share what comes to the listener. */
  readonly workers: number;
  readonly clock: Clock;
  readonly log: Logger;
}

type Accept = (socket: Socket, endpoints: Endpoints, head: Buffer | undefined) => void;

/** One listener inside a worker; its settings may change under open connections. */
export interface WorkerListener {
  readonly acceptTls: Accept;
  readonly acceptPlain: Accept;
  readonly acceptDirectly: DirectAccept;
  /** Whose connections begin with a PROXY protocol header; undefined for nobody's. */
  proxies(): BlockList | undefined;
  configure(settings: ListenerSettings): void;
  /** There will be no certificate for the name for now. */
  refuseName(serverName: string, forMs: number): void;
  sweep(): void;
  handshaking(): number;
  contexts(): number;
  close(): void;
}

export function createWorkerListener(first: ListenerSettings, deps: WorkerListenerDeps): WorkerListener {
  const { view, shared, clock } = deps;
  let settings = first;
  let contexts: ContextCache | undefined;
  let tls: TlsListener | undefined;
  let proxies: BlockList | undefined;
  let plain: ListenerView = { id: first.id };
  // Handshakes that began under earlier settings end under them.
  let retired: TlsListener[] = [];

  const build = () => {
    proxies = blockList(settings.proxyProtocolFrom);
    plain = { id: settings.id, plain: { httpsPort: settings.plain?.httpsPort, challenge } };
    if (tls !== undefined) retired.push(tls);
    contexts?.close();
    contexts = settings.tls && createContexts(settings, deps);
    const { tls: asked } = settings;
    // The kernel spreads connections evenly, so each worker's part of the rate is one.
    const rate = asked?.handshakesPerSecond && Math.ceil(asked.handshakesPerSecond / deps.workers);
    tls =
      asked &&
      contexts &&
      createTlsListener({ ...asked, handshakesPerSecond: rate }, { ...deps, contexts, ...sources() });
  };
  const sources = () => ({
    view: { id: settings.id },
    refresh() {
      view.refresh();
      if (shared !== view) shared.refresh();
    },
    isRouted: (serverName: string) => shared.routesOf(serverName).length > 0,
    challenge: (serverName: string, now: number) => view.challenge('tls-alpn-01', serverName, now),
  });
  const challenge = (token: string) => {
    const open = shared.challenge('http-01', token, clock.now());
    return open?.type === 'http-01' ? open.keyAuthorization : undefined;
  };
  view.follow(({ certificates }) => contexts?.forget(certificates));
  build();

  return {
    acceptTls: (socket, endpoints, head) =>
      tls === undefined ? socket.destroy() : tls.accept(socket, endpoints, head),
    acceptDirectly: (connection, endpoints, toSocket) =>
      tls === undefined ? connection.destroy() : tls.acceptDirectly(connection, endpoints, toSocket),
    acceptPlain(socket, endpoints, head) {
      shared.refresh();
      if (head !== undefined) socket.unshift(head);
      const info = { ...endpoints, secure: false, serverName: undefined, alpn: undefined, listener: plain };
      deps.plane.accept(socket, info);
    },
    proxies: () => proxies,
    configure(next) {
      if (JSON.stringify(next) === JSON.stringify(settings)) return;
      settings = next;
      build();
    },
    refuseName(serverName, forMs) {
      for (const listener of [...retired, ...(tls === undefined ? [] : [tls])]) listener.refuseName(serverName, forMs);
    },
    sweep() {
      tls?.sweep();
      for (const listener of retired) listener.sweep();
      retired = retired.filter((listener) => listener.handshaking() > 0);
    },
    handshaking: () => [...retired, ...(tls === undefined ? [] : [tls])].reduce((sum, l) => sum + l.handshaking(), 0),
    contexts: () => contexts?.size() ?? 0,
    close: () => contexts?.close(),
  };
}

function createContexts(settings: ListenerSettings, deps: WorkerListenerDeps): ContextCache | undefined {
  const { tls } = settings;
  if (tls === undefined) return undefined;
  return createContextCache({
    certificatesFor: deps.view.certificatesFor,
    context: {
      ...contextOptions(tls.policy),
      ...(tls.clientCertificates && { ca: tls.clientCertificates.ca }),
      // A session of one listener is none of another, which may ask for other client certificates.
      sessionIdContext: settings.id.slice(0, 32),
    },
    tickets: deps.tickets,
    capacity: deps.contexts,
    clock: deps.clock,
  });
}

function blockList(cidrs: readonly string[]): BlockList | undefined {
  if (cidrs.length === 0) return undefined;
  const list = new Blocks();
  for (const cidr of cidrs) {
    const [address = '', bits] = cidr.split('/');
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    list.addSubnet(address, bits === undefined ? (family === 'ipv6' ? 128 : 32) : Number(bits), family);
  }
  return list;
}
