import { closeSync } from 'node:fs';
import { type Clock, type Logger, limitedLogger } from '../base/index.ts';
import { createPictureReader } from '../picture/index.ts';
import { createSealer } from '../secrets/index.ts';
import { createAddressSet } from './limits/addresses.ts';
import { createPassthrough } from './listen/passthrough.ts';
import { listenOn, type PortServer } from './listen/port-server.ts';
import type { ListenerSettings } from './listen/settings.ts';
import { createAccessLog } from './observe/access-log.ts';
import { createRefusalLog } from './observe/refusal-log.ts';
import { createWorkerMetrics } from './observe/worker-metrics.ts';
import { createPictureView, type PictureView } from './picture-view.ts';
import { createPlane, type PlaneObserver } from './plane/index.ts';
import type { TicketKeys } from './tls/ticket-keys.ts';
import { createWorkerListener, type WorkerListener } from './worker-listener.ts';
import type { FromWorker, InheritedSocket, PictureFile, ToWorker, WorkerInit } from './worker-wire.ts';

export interface WorkerDeps {
  readonly clock: Clock;
  readonly log: Logger;
  tell(message: FromWorker): void;
}

export interface Worker {
  told(message: ToWorker, handle: unknown): void;
  drain(deadlineMs: number): Promise<void>;
}

// A new connection looks by itself; this is for requests of connections that are open, and costs a microsecond.
const LOOK_MS = 100;
const SWEEP_MS = 1_000;
const DRAIN_LOOK_MS = 20;
// Enough to see what goes on; a message of a million would stop the worker.
const MOST_CONNECTIONS = 1_000;
const FLUSH_MS = 200;
// Limits of the machine are late by so much.
const SHARE_MS = 100;

/** Listens when it resolves. */
export async function createWorker(init: WorkerInit, deps: WorkerDeps): Promise<Worker> {
  const { clock, log } = deps;
  const strangersLog = limitedLogger(log, clock);
  let tickets: TicketKeys = init.tickets;
  const shared = openView(init.picture);
  const views = new Set([shared]);
  const metrics = createWorkerMetrics();
  const accessLog = createAccessLog(init.settings.accessLog, log);
  let isProxy = createAddressSet(init.settings.plane.trustedProxies);
  let engine = init.settings.plane.protocolEngine;
  const refusals = createRefusalLog(log, clock, (address) => isProxy(address));
  const observer: PlaneObserver = {
    ...metrics.plane,
    request(record) {
      metrics.plane.request?.(record);
      accessLog.note(record);
    },
    refused(reason, address) {
      metrics.plane.refused?.(reason, address);
      refusals.note(reason, address);
    },
  };
  const plane = createPlane({ routes: shared, settings: init.settings.plane, log: strangersLog, clock, observer });
  const passthrough = createPassthrough({ routesOf: shared.routesOf, clock, log: strangersLog });
  shared.follow(({ hosts }) => {
    plane.routesChanged(hosts);
    passthrough.forget(hosts);
  });

  const listeners = new Map<string, WorkerListener>();
  /** Those that a reload took away, until their last handshake is over. */
  const leaving = new Set<WorkerListener>();
  const viewOf = new WeakMap<WorkerListener, PictureView>();
  const closeView = (view: PictureView | undefined) => {
    if (view === undefined || view === shared) return;
    views.delete(view);
    view.close();
  };
  const addListener = (settings: ListenerSettings, own: PictureFile | undefined) => {
    const view = own === undefined ? shared : openView(own);
    views.add(view);
    const listener = createWorkerListener(settings, {
      view,
      shared,
      plane,
      passthrough,
      observer: metrics.handshakes,
      tickets: () => tickets,
      want: (serverName, address) => deps.tell({ type: 'wanted_name', serverName, address }),
      contexts: init.contexts,
      workers: init.workers,
      clock,
      log: strangersLog,
    });
    listeners.set(settings.id, listener);
    viewOf.set(listener, view);
  };
  for (const settings of init.settings.listeners) addListener(settings, init.listenerPictures[settings.id]);
  const look = () => {
    for (const view of views) view.refresh();
  };
  const configure = ({ settings: given, listenerPictures, ports }: Extract<ToWorker, { type: 'settings' }>) => {
    const { listeners: settings, plane: planeSettings, accessLog: lines } = given;
    look();
    plane.configure(planeSettings);
    isProxy = createAddressSet(planeSettings.trustedProxies);
    engine = planeSettings.protocolEngine;
    accessLog.configure(lines);
    for (const entry of settings) {
      const listener = listeners.get(entry.id);
      if (listener === undefined) addListener(entry, listenerPictures[entry.id]);
      else listener.configure(entry);
    }
    for (const [id, listener] of listeners)
      if (!settings.some((entry) => entry.id === id)) {
        listeners.delete(id);
        leaving.add(listener);
      }
    // A listener without ports has no new connections; those that it has stay, and so does what they need.
    for (const gone of servers.filter(({ key }) => !ports.includes(key))) {
      servers.splice(servers.indexOf(gone), 1);
      gone.server.close().catch(() => {});
    }
    // Another slot's socket would go on taking connections into its queue as long as anyone has it open.
    for (const { key, slot, fd } of init.sockets)
      if (!ports.includes(key) && !adopted.has(slot) && !closed.has(fd)) {
        closed.add(fd);
        closeSync(fd);
      }
  };

  const servers: { readonly key: string; readonly server: PortServer }[] = [];
  const adopted = new Set<number>();
  const closed = new Set<number>();
  const adopt = async (slot: number) => {
    if (adopted.has(slot)) return;
    adopted.add(slot);
    for (const socket of init.sockets)
      if (socket.slot === slot && !closed.has(socket.fd)) await open(socket, socket.fd);
  };
  const open = async (socket: Omit<InheritedSocket, 'fd'>, at: unknown): Promise<void> => {
    const listener = listeners.get(socket.listener);
    // Of a listener that a reload took away.
    if (listener === undefined) return;
    const server = await listenOn(at, {
      listener: socket.listener,
      proxies: listener.proxies,
      admit: plane.admit,
      release: plane.release,
      accept: socket.role === 'tls' ? listener.acceptTls : listener.acceptPlain,
      acceptDirectly: () => (socket.role === 'tls' && engine === 'own' ? listener.acceptDirectly : undefined),
      observer: metrics.handshakes,
      clock,
      log: strangersLog,
    });
    servers.push({ key: socket.key, server });
  };
  await adopt(init.slot);

  const notOpen = (what: string) => (error: unknown) => log.error({ err: error }, `${what} could not be listened on`);
  const looking = setInterval(look, LOOK_MS);
  const sweeping = setInterval(() => {
    for (const listener of [...listeners.values(), ...leaving]) listener.sweep();
    for (const listener of leaving)
      if (listener.handshaking() === 0) {
        leaving.delete(listener);
        listener.close();
        closeView(viewOf.get(listener));
      }
    for (const { server } of servers) server.sweep();
  }, SWEEP_MS);
  const flushing = setInterval(accessLog.flush, FLUSH_MS);
  const sharing = setInterval(() => {
    const counted = plane.counted();
    if (init.workers > 1 && counted.requests.length + counted.connections.length > 0)
      deps.tell({ type: 'counted', pid: process.pid, counted });
  }, SHARE_MS);
  const sum = (count: (listener: WorkerListener) => number) =>
    [...listeners.values(), ...leaving].reduce((total, listener) => total + count(listener), 0);
  const report = (id: number, connections: boolean) =>
    deps.tell({
      type: 'report',
      id,
      report: {
        pid: process.pid,
        certificates: [...views].reduce((total, view) => total + view.certificateCount(), 0),
        contexts: sum((listener) => listener.contexts()),
        handshaking: sum((listener) => listener.handshaking()),
        rssBytes: residentBytes(),
        samples: metrics.samples(plane.upstreams()),
        connections: connections ? plane.connections().slice(0, MOST_CONNECTIONS) : [],
      },
    });

  return {
    told(message, handle) {
      if (message.type === 'tickets') tickets = message.tickets;
      else if (message.type === 'settings') configure(message);
      else if (message.type === 'counted') plane.heard(message.counted);
      else if (message.type === 'listen') open(message.socket, handle).catch(notOpen(message.socket.key));
      else if (message.type === 'report') report(message.id, message.connections);
      else if (message.type === 'refuse_name')
        for (const listener of listeners.values()) listener.refuseName(message.serverName, message.forMs);
      else adopt(message.slot).catch(notOpen(`slot ${message.slot}`));
    },
    async drain(deadlineMs) {
      const deadline = clock.now() + deadlineMs;
      await Promise.all(servers.map(({ server }) => server.close()));
      // A client whose handshake was accepted has been promised an answer.
      while (sum((listener) => listener.handshaking()) > 0 && clock.now() < deadline) await clock.sleep(DRAIN_LOOK_MS);
      await plane.drain(Math.max(0, deadline - clock.now()));
      while (passthrough.open() > 0 && clock.now() < deadline) await clock.sleep(DRAIN_LOOK_MS);
      passthrough.close();
      clearInterval(looking);
      clearInterval(sweeping);
      clearInterval(flushing);
      clearInterval(sharing);
      accessLog.close();
      for (const listener of listeners.values()) listener.close();
      for (const view of views) view.close();
    },
  };
}

function openView({ path, masterKeys }: PictureFile): PictureView {
  const [first, ...rest] = masterKeys;
  return createPictureView(createPictureReader(path, createSealer([first!, ...rest])));
}

let lastResident = 0;

/** Asking takes a descriptor; where there is none left, what was known before must do. */
function residentBytes(): number {
  try {
    lastResident = process.memoryUsage.rss();
  } catch {
    // EMFILE: a flood of connections is no reason to end.
  }
  return lastResident;
}
