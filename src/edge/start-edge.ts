import { availableParallelism } from 'node:os';
import type { Clock, Environment, Logger, LogLevel } from '../base/index.ts';
import { type ChildState, createSupervised, type Supervised } from '../process/index.ts';
import { additions, bindListeners, closeGone, inherit, type PlanPorts } from './bind-listeners.ts';
import { type HandedPort, type HandedSockets, NOTHING_HANDED } from './handed-sockets.ts';
import { createCountExchange } from './limits/counted.ts';
import type { ListenerSettings } from './listen/settings.ts';
import type { AccessLogSettings } from './observe/access-log.ts';
import { renderPrometheus } from './observe/prometheus.ts';
import { addSamples, type Sample, type Samples } from './observe/series.ts';
import { defaultSettings } from './plane/settings.ts';
import type { PlaneSettings } from './plane/types.ts';
import { type HeldTickets, newTicketKey, rotateTicketKeys, TICKET_ROTATION_MS } from './tls/ticket-keys.ts';
import type { EdgeSettings, FromWorker, PictureFile, ToWorker, WorkerInit, WorkerReport } from './worker-wire.ts';

/** A listener as it is asked for: settings, and where. A port of 0 takes any free one. */
export interface ListenerPlan extends ListenerSettings {
  readonly address: string;
  readonly httpsPort?: number;
  readonly httpPort?: number;
  /** Certificates and challenges of this listener alone. */
  readonly picture?: PictureFile;
}

export interface EdgeOptions {
  readonly listeners: readonly ListenerPlan[];
  readonly picture: PictureFile;
  readonly plane?: PlaneSettings;
  readonly accessLog?: AccessLogSettings;
  /** One a core when absent. */
  readonly workers?: number;
  /** TLS contexts that each worker keeps. */
  readonly contexts?: number;
  readonly log: { readonly level: LogLevel; readonly pretty: boolean };
  /** What workers inherit of the environment; nothing when absent. */
  readonly env?: Environment;
  /** Used instead of sockets of our own where they are for the same place. */
  readonly handed?: HandedSockets;
  /** Of the process that this one takes over from: its clients resume their sessions. */
  readonly tickets?: HeldTickets;
  /** A handshake waits for the certificate of a routed name; heard again while it waits. */
  onWantedName?(serverName: string, address: string): void;
}

export interface EdgeDeps {
  readonly clock: Clock;
  readonly log: Logger;
}

export interface EdgeListener {
  readonly id: string;
  readonly address: string;
  readonly httpsPort: number | undefined;
  readonly httpPort: number | undefined;
}

/** Ports are bound at once, so their numbers are known; workers serve after `start`. */
export interface Edge {
  readonly listeners: readonly EdgeListener[];
  /** The open sockets, for a process that takes over: `main.https` -> descriptors. */
  sockets(): HandedPort[];
  /** What seals and opens session tickets now. */
  tickets(): HeldTickets;
  /** Resolves when every worker serves; rejects with the `Fault` of the first that cannot. */
  start(): Promise<void>;
  /**
   * What may change under open connections: limits from the next request on, TLS settings from the next handshake on.
   * Addresses and ports stay (see `relisten`); listeners are told apart by their id. Resolves when the workers have taken it over.
   */
  configure(next: EdgeSettings): Promise<void>;
  /**
   * Other listeners or ports. Binds what is new, or throws the `Fault` for which it cannot; `commit` has the workers
   * listen there, and leave what is gone to its last connection. Nothing that stays is touched.
   */
  relisten(plans: readonly ListenerPlan[]): { commit(next: EdgeSettings): Promise<void>; abandon(): void };
  workers(): readonly { readonly slot: number; readonly state: ChildState }[];
  /** Each worker about itself; a worker that does not answer within a second is left out. */
  reports(): Promise<WorkerReport[]>;
  /** Numbers of all workers together. */
  numbers(): Promise<Samples>;
  /** The same as Prometheus text. */
  metrics(): Promise<string>;
  /** Handshakes that wait for the name's certificate are refused, and so are those of the next `forMs`. */
  refuseName(serverName: string, forMs: number): void;
  /** New processes for all workers, one after another, without a refused connection. */
  replaceWorkers(deadlineMs: number): Promise<void>;
  /** Workers stop accepting, finish what they have until the deadline, and end; ports are given up. */
  stop(deadlineMs: number): Promise<void>;
}

const CONTEXTS = 2_000;
const REPORT_WITHIN_MS = 1_000;
// A restart that takes no longer leaves its connections waiting in the queue; after that a neighbour takes them.
const ADOPT_AFTER_MS = 1_000;
const ENTRY = new URL('./worker.ts', import.meta.url);
// A wider nursery: at HTTP/2 with many streams a third of the time was garbage collection (docs/performance.md).
const NODE_ARGUMENTS = ['--disable-warning=ExperimentalWarning', '--max-semi-space-size=32'];

export function startEdge(options: EdgeOptions, deps: EdgeDeps): Edge {
  const { clock, log } = deps;
  const slots = options.workers ?? availableParallelism();
  let ports = bindListeners(options.listeners, slots, options.handed ?? NOTHING_HANDED, log);
  let inherited = inherit(ports, slots);
  /** What a worker inherited when it was started last. */
  const startedWith = new Map<number, readonly PlanPorts[]>();
  let settings: EdgeSettings = {
    listeners: ports.map(({ plan }) => settle(plan, ports)),
    plane: options.plane ?? defaultSettings,
    accessLog: options.accessLog ?? { format: 'off' },
  };
  const stopping = new AbortController();
  const waiting = new Map<number, (report: WorkerReport) => void>();
  const workers: Supervised[] = [];
  let held: HeldTickets = options.tickets ?? { keys: [newTicketKey()], rotatedAt: clock.now() };
  let reportId = 0;

  const tellAll = (message: ToWorker) => {
    for (const worker of workers) worker.send(message);
  };
  const pidOf = (worker: Supervised) => {
    const state = worker.state();
    return 'pid' in state ? state.pid : undefined;
  };
  const counts = createCountExchange((pid, counted) => {
    for (const worker of workers)
      if (pidOf(worker) !== pid) worker.send({ type: 'counted', counted } satisfies ToWorker);
  });
  const heard = (message: FromWorker) => {
    if (message.type === 'counted') counts.heard(message.pid, message.counted);
    else if (message.type === 'wanted_name') options.onWantedName?.(message.serverName, message.address);
    else waiting.get(message.id)?.(message.report);
  };
  const launch = (slot: number): Supervised =>
    createSupervised(
      {
        name: `edge worker ${slot}`,
        entry: ENTRY,
        nodeArguments: NODE_ARGUMENTS,
        env: options.env,
        get fds() {
          return inherited.fds;
        },
        init(): WorkerInit {
          startedWith.set(slot, ports);
          return {
            slot,
            sockets: inherited.sockets,
            picture: options.picture,
            listenerPictures: picturesOf(ports),
            settings,
            tickets: held.keys,
            workers: slots,
            contexts: options.contexts ?? CONTEXTS,
            log: options.log,
          };
        },
        onMessage: (body) => heard(body as FromWorker),
        onReady() {
          // Listeners may have come while it started.
          const before = startedWith.get(slot) ?? ports;
          if (before !== ports) bringUpToDate(slot, before);
          const worker = workers[slot];
          const counted = counts.openElsewhere((worker && pidOf(worker)) ?? 0);
          worker?.send({ type: 'counted', counted } satisfies ToWorker);
        },
        onEnd(_how, pid) {
          counts.ended(pid);
          void coverFor(slot);
        },
      },
      deps,
    );
  const settingsMessage = (): ToWorker => {
    const keys = new Set(inherited.sockets.map(({ key }) => key));
    return { type: 'settings', settings, listenerPictures: picturesOf(ports), ports: [...keys] };
  };
  const bringUpToDate = (slot: number, before: readonly PlanPorts[]) => {
    workers[slot]?.send(settingsMessage());
    for (const { socket, handle } of additions(ports, before, slots))
      if (socket.slot === slot) workers[slot]?.send({ type: 'listen', socket } satisfies ToWorker, handle);
  };
  const coverFor = async (slot: number) => {
    await clock.sleep(ADOPT_AFTER_MS, stopping.signal).catch(() => {});
    if (stopping.signal.aborted || workers[slot]?.state().status === 'ready') return;
    const neighbour = workers.find((worker) => worker.state().status === 'ready');
    neighbour?.send({ type: 'adopt', slot } satisfies ToWorker);
  };
  const rotate = async () => {
    for (;;) {
      await clock.sleep(Math.max(0, held.rotatedAt + TICKET_ROTATION_MS - clock.now()), stopping.signal);
      held = { keys: rotateTicketKeys(held.keys), rotatedAt: clock.now() };
      tellAll({ type: 'tickets', tickets: held.keys });
    }
  };
  const reportOf = (worker: Supervised, connections: boolean): Promise<WorkerReport | undefined> => {
    const id = ++reportId;
    const answered = new AbortController();
    const answer = new Promise<WorkerReport>((resolve) => waiting.set(id, resolve));
    worker.send({ type: 'report', id, connections } satisfies ToWorker);
    const late = clock.sleep(REPORT_WITHIN_MS, answered.signal).then(
      () => undefined,
      () => undefined,
    );
    return Promise.race([answer, late]).finally(() => {
      waiting.delete(id);
      answered.abort();
    });
  };

  const settleAll = (next: EdgeSettings) =>
    ports.map(({ plan }) =>
      settle(
        plan,
        ports,
        next.listeners.find(({ id }) => id === plan.id),
      ),
    );
  const reportAll = async (connections: boolean) =>
    (await Promise.all(workers.map((worker) => reportOf(worker, connections)))).filter(
      (report) => report !== undefined,
    );
  const numbers = async (): Promise<Samples> => {
    const reports = await reportAll(false);
    const states = workers.map((worker) => worker.state().status);
    const own = { counters: [], gauges: edgeGauges(reports, states), histograms: [] };
    return addSamples([...reports.map(({ samples }) => samples), own]);
  };

  return {
    get listeners() {
      return ports.map(({ plan: { id, address }, https, http }) => ({
        id,
        address,
        httpsPort: https?.port,
        httpPort: http?.port,
      }));
    },
    sockets: () =>
      ports.flatMap(({ plan: { id }, https, http }) => [
        ...(https === undefined ? [] : [{ name: `${id}.https`, fds: https.fds }]),
        ...(http === undefined ? [] : [{ name: `${id}.http`, fds: http.fds }]),
      ]),
    tickets: () => held,
    async start() {
      for (let slot = 0; slot < slots; slot++) workers.push(launch(slot));
      await Promise.all(workers.map((worker) => worker.firstReady));
      rotate().catch(() => {});
      log.info({ workers: slots }, 'the edge serves');
    },
    async configure(next) {
      settings = { ...next, listeners: settleAll(next) };
      tellAll(settingsMessage());
      // Messages arrive in order, so an answer to the next is one to this.
      await reportAll(false);
    },
    relisten(plans) {
      const next = bindListeners(plans, slots, NOTHING_HANDED, log, ports);
      const before = ports;
      try {
        additions(next, before, slots);
      } catch (error) {
        closeGone(next, before);
        throw error;
      }
      return {
        abandon: () => closeGone(next, before),
        async commit(given) {
          ports = next;
          inherited = inherit(ports, slots);
          settings = { ...given, listeners: settleAll(given) };
          for (let slot = 0; slot < slots; slot++) bringUpToDate(slot, before);
          await reportAll(false);
          closeGone(before, ports);
        },
      };
    },
    workers: () => workers.map((worker, slot) => ({ slot, state: worker.state() })),
    reports: () => reportAll(true),
    numbers,
    metrics: async () => renderPrometheus(await numbers()),
    refuseName: (serverName, forMs) => tellAll({ type: 'refuse_name', serverName, forMs }),
    async replaceWorkers(deadlineMs) {
      for (const worker of workers) await worker.replace(deadlineMs);
    },
    async stop(deadlineMs) {
      stopping.abort(new Error('stopped'));
      await Promise.all(workers.map((worker) => worker.stop(deadlineMs)));
      for (const { https, http } of ports) {
        https?.close();
        http?.close();
      }
    },
  };
}

function edgeGauges(reports: readonly WorkerReport[], states: readonly string[]): Sample[] {
  const gauge = (name: string, labels: Sample['labels'], value: number) => ({
    name: `gatehouse_edge_${name}`,
    labels,
    value,
  });
  return [
    ...states.map((state) => gauge('workers', [['state', state]], 1)),
    ...reports.map(({ pid, rssBytes }) => gauge('worker_resident_bytes', [['pid', String(pid)]], rssBytes)),
    ...reports.slice(0, 1).map(({ certificates }) => gauge('certificates', [], certificates)),
  ];
}

/** A redirect must name the port that is really there. */
function settle(plan: ListenerPlan, ports: readonly PlanPorts[], next: ListenerSettings = plan): ListenerSettings {
  const { id, tls, proxyProtocolFrom } = next;
  const https = ports.find((entry) => entry.plan === plan)?.https;
  const httpsPort = next.plain?.httpsPort ?? https?.port;
  return { id, tls, proxyProtocolFrom, ...(plan.httpPort !== undefined && { plain: { httpsPort } }) };
}

function picturesOf(ports: readonly PlanPorts[]): Record<string, PictureFile> {
  return Object.fromEntries(
    ports.flatMap(({ plan: { id, picture } }) => (picture === undefined ? [] : [[id, picture]])),
  );
}
