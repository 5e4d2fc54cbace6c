import type { TLSSocket } from 'node:tls';
import { type Clock, type Logger, limitedLogger } from '../base/index.ts';
import { createPictureReader } from '../picture/index.ts';
import { createSealer } from '../secrets/index.ts';
import type { HandshakeObserver } from './listen/observer.ts';
import { listenOn, type PortServer } from './listen/port-server.ts';
import type { ListenerSettings } from './listen/settings.ts';
import { createTlsListener, type TlsListener } from './listen/tls-listener.ts';
import { createPictureView, type PictureView } from './picture-view.ts';
import { createPlane } from './plane/index.ts';
import type { ListenerView, Plane } from './plane/types.ts';
import { type ContextCache, createContextCache } from './tls/context-cache.ts';
import { contextOptions } from './tls/policy.ts';
import type { TicketKeys } from './tls/ticket-keys.ts';
import type { FromWorker, InheritedSocket, PictureFile, ToWorker, WorkerInit } from './worker-wire.ts';

export interface WorkerDeps {
  readonly clock: Clock;
  readonly log: Logger;
  tell(message: FromWorker): void;
}

export interface Worker {
  told(message: ToWorker): void;
  drain(deadlineMs: number): Promise<void>;
}

// A connection looks by itself; this is for a quiet edge, whose routes' health checks follow the picture too.
const LOOK_MS = 1_000;
const DRAIN_LOOK_MS = 20;

/** Listens when it resolves. */
export async function createWorker(init: WorkerInit, deps: WorkerDeps): Promise<Worker> {
  const { clock, log } = deps;
  const strangersLog = limitedLogger(log, clock);
  let tickets: TicketKeys = init.tickets;
  const routes = openView(init.picture);
  const plane = createPlane({
    routes: { routesOf: routes.routesOf },
    settings: init.settings.plane,
    log,
    clock,
  });
  routes.follow(({ hosts }) => plane.routesChanged(hosts));
  const observer = countHandshakes();
  const views = new Set([routes]);
  const caches: ContextCache[] = [];
  const listeners = new Map<string, { settings: ListenerSettings; view: PictureView; tls?: TlsListener }>();

  for (const settings of init.settings.listeners) {
    const own = init.listenerPictures[settings.id];
    const view = own === undefined ? routes : openView(own);
    views.add(view);
    const { tls } = settings;
    if (tls === undefined) {
      listeners.set(settings.id, { settings, view });
      continue;
    }
    const contexts = createContextCache({
      certificatesFor: view.certificatesFor,
      context: {
        ...contextOptions(tls.policy),
        ...(tls.clientCertificates && { ca: tls.clientCertificates.ca }),
        // A session of one listener is none of another, which may ask for other client certificates.
        sessionIdContext: settings.id.slice(0, 32),
      },
      tickets: () => tickets,
      capacity: init.contexts,
      clock,
    });
    caches.push(contexts);
    view.follow(({ certificates }) => contexts.forget(certificates));
    const listener = createTlsListener(tls, {
      view: { id: settings.id },
      contexts,
      refresh: view.refresh,
      challenge: (serverName, now) => view.challenge('tls-alpn-01', serverName, now),
      onUnknownName: (serverName) => deps.tell({ type: 'unknown_name', serverName }),
      plane,
      observer,
      clock,
      log: strangersLog,
    });
    listeners.set(settings.id, { settings, view, tls: listener });
  }

  const servers: PortServer[] = [];
  const adopted = new Set<number>();
  const adopt = async (slot: number) => {
    if (adopted.has(slot)) return;
    adopted.add(slot);
    for (const socket of init.sockets.filter((candidate) => candidate.slot === slot)) servers.push(await open(socket));
  };
  const open = (socket: InheritedSocket): Promise<PortServer> => {
    const { settings, view, tls } = listeners.get(socket.listener)!;
    return listenOn(socket.fd, settings.proxyProtocolFrom, {
      listener: settings.id,
      admit: plane.admit,
      release: plane.release,
      accept: socket.role === 'tls' ? tls!.accept : acceptPlain(plainView(settings, view, clock), view, plane),
      observer,
      clock,
      log: strangersLog,
    });
  };
  await adopt(init.slot);

  const looking = setInterval(() => {
    for (const view of views) view.refresh();
    for (const { tls } of listeners.values()) tls?.sweep();
    for (const server of servers) server.sweep();
  }, LOOK_MS);

  return {
    told(message) {
      if (message.type === 'tickets') tickets = message.tickets;
      else if (message.type === 'settings') plane.configure(message.settings.plane);
      else if (message.type === 'adopt')
        adopt(message.slot).catch((error: unknown) => log.error({ err: error }, 'a slot could not be adopted'));
      else
        deps.tell({
          type: 'report',
          id: message.id,
          report: {
            pid: process.pid,
            certificates: routes.certificateCount(),
            contexts: caches.reduce((sum, cache) => sum + cache.size(), 0),
            handshaking: [...listeners.values()].reduce((sum, { tls }) => sum + (tls?.handshaking() ?? 0), 0),
            rssBytes: process.memoryUsage.rss(),
          },
        });
    },
    async drain(deadlineMs) {
      const deadline = clock.now() + deadlineMs;
      await Promise.all(servers.map((server) => server.close()));
      // A client whose handshake was accepted has been promised an answer.
      const handshaking = () => [...listeners.values()].some(({ tls }) => tls !== undefined && tls.handshaking() > 0);
      while (handshaking() && clock.now() < deadline) await clock.sleep(DRAIN_LOOK_MS);
      await plane.drain(Math.max(0, deadline - clock.now()));
      clearInterval(looking);
      for (const cache of caches) cache.close();
      for (const view of views) view.close();
    },
  };
}

function openView({ path, masterKeys }: PictureFile): PictureView {
  const [first, ...rest] = masterKeys;
  return createPictureView(createPictureReader(path, createSealer([first!, ...rest])));
}

const plainView = (settings: ListenerSettings, view: PictureView, clock: Clock): ListenerView => ({
  id: settings.id,
  plain: {
    httpsPort: settings.plain?.httpsPort,
    challenge(token) {
      const open = view.challenge('http-01', token, clock.now());
      return open?.type === 'http-01' ? open.keyAuthorization : undefined;
    },
  },
});

const acceptPlain = (listener: ListenerView, view: PictureView, plane: Plane) =>
  ((socket, endpoints, head) => {
    view.refresh();
    if (head !== undefined) socket.unshift(head);
    plane.accept(socket, { ...endpoints, secure: false, serverName: undefined, alpn: undefined, listener });
  }) satisfies TlsListener['accept'];

function countHandshakes(): HandshakeObserver {
  return { completed: (_socket: TLSSocket) => {}, failed: () => {} };
}
