import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Clock, type Environment, errorText, type Logger, type LogLevel } from '../../base/index.ts';
import { createPictureWriter, type OpenChallenge, type PictureWriter } from '../../picture/index.ts';
import { createSealer } from '../../secrets/index.ts';
import type { HandedPort, HandedSockets } from '../handed-sockets.ts';
import type { CacheDirectory } from '../keeper/cache-directory.ts';
import { openCacheDirectory } from '../keeper/cache-directory.ts';
import type { Issuance } from '../keeper/issuance.ts';
import { createAcmeKeeper, type KeeperStatus } from '../keeper/keep-acme.ts';
import { createFileKeeper } from '../keeper/keep-files.ts';
import { createManagedKeeper, type ManagedSource } from '../keeper/keep-managed.ts';
import { renderPrometheus } from '../observe/prometheus.ts';
import { type Edge, type EdgeListener, startEdge } from '../start-edge.ts';
import type { HeldTickets } from '../tls/ticket-keys.ts';
import type { WorkerReport } from '../worker-wire.ts';
import type { PlannedAcme, PlannedCertificates, PlannedListener, PlannedManaged, ProxyPlan } from './plan-proxy.ts';
import { planReload } from './plan-reload.ts';

export interface ProxyOptions {
  readonly plan: ProxyPlan;
  readonly workers: number | undefined;
  /** A private directory for the pictures, which end with the process. */
  readonly runtimeDir: string;
  readonly log: { readonly level: LogLevel; readonly pretty: boolean };
  readonly env: Environment;
  readonly handed?: HandedSockets;
  readonly tickets?: HeldTickets;
}

export interface ProxyDeps {
  readonly clock: Clock;
  readonly log: Logger;
  /** Wires an ACME client to a listener's cache and challenges. */
  issuanceFor(acme: PlannedAcme, cache: CacheDirectory, present: Present): Issuance;
  sourceFor(managed: PlannedManaged): ManagedSource;
}

/** Makes a challenge answerable at every worker; the answer takes it away. */
export type Present = (challenge: OpenChallenge) => Promise<() => Promise<void>>;

export interface RunningProxy {
  readonly listeners: readonly EdgeListener[];
  /** Resolves when every listener has what it promised; rejects with the first `Fault`. */
  start(): Promise<void>;
  /** Takes over what changed; when it rejects, what ran goes on as it was. */
  reload(plan: ProxyPlan): Promise<void>;
  status(): Promise<ProxyStatus>;
  metrics(): Promise<string>;
  renew(): void;
  sockets(): HandedPort[];
  tickets(): HeldTickets;
  /** Lets go of the caches, so that a process that takes over may have them; what is served stays. */
  releaseCaches(): Promise<void>;
  /** Takes them again, when that process did not get there. */
  takeCaches(): Promise<void>;
  replaceWorkers(deadlineMs: number): Promise<void>;
  stop(deadlineMs: number): Promise<void>;
}

export interface ProxyStatus {
  readonly listeners: readonly (EdgeListener & { readonly certificates: readonly KeptCertificate[] })[];
  readonly routes: number;
  readonly workers: readonly { readonly slot: number; readonly status: string; readonly pid?: number }[];
  readonly reports: readonly WorkerReport[];
}

export type KeptCertificate = Partial<KeeperStatus> & Pick<KeeperStatus, 'names' | 'notAfter'>;

/** Modes whose keepers have a directory that is one process's. */
const CACHING = ['acme', 'managed'] as const;

interface Keeper {
  start(): void | Promise<void>;
  status(): readonly KeptCertificate[];
  renew?(): void;
  /** Ids of what it serves, where the plan does not say. */
  served?(): Iterable<string>;
  stop(): Promise<void>;
}

interface Kept {
  readonly listener: PlannedListener;
  readonly picture: PictureWriter;
  keeper: Keeper | undefined;
}

export function createProxy(options: ProxyOptions, deps: ProxyDeps): RunningProxy {
  const { clock, log } = deps;
  // The pictures end with this process, and so does the key that their secrets are sealed with.
  const masterKeys = [randomBytes(32)] as const;
  const sealer = createSealer(masterKeys);
  const pathOf = (name: string) => join(options.runtimeDir, `${name}.picture`);
  const shared = createPictureWriter(pathOf('shared'), sealer);
  const kept = new Map<string, Kept>();
  let plan = options.plan;
  let cachesReleased = false;

  const keepPlace = (listener: PlannedListener): Kept => {
    const picture = createPictureWriter(pathOf(`listener-${listener.plan.id}`), sealer);
    const entry: Kept = { listener, picture, keeper: undefined };
    kept.set(listener.plan.id, entry);
    return entry;
  };
  const leavePlace = async (entry: Kept) => {
    kept.delete(entry.listener.plan.id);
    await entry.keeper?.stop();
    entry.picture.close();
    const path = pathOf(`listener-${entry.listener.plan.id}`);
    for (const end of ['', '-wal', '-shm']) rmSync(path + end, { force: true });
  };
  const withPicture = ({ plan: listener }: PlannedListener) => ({
    ...listener,
    picture: { path: pathOf(`listener-${listener.id}`), masterKeys },
  });
  for (const listener of plan.listeners) keepPlace(listener);
  writeRoutes(shared, plan);
  const edge: Edge = startEdge(
    {
      listeners: plan.listeners.map(withPicture),
      picture: { path: pathOf('shared'), masterKeys },
      plane: plan.plane,
      accessLog: plan.accessLog,
      workers: options.workers,
      log: options.log,
      env: options.env,
      handed: options.handed,
      tickets: options.tickets,
    },
    deps,
  );

  const presenter =
    (own: PictureWriter): Present =>
    async (challenge) => {
      const picture = challenge.type === 'http-01' ? shared : own;
      picture.putChallenge(challenge);
      return async () => picture.deleteChallenge(challenge);
    };
  const createKeeper = (id: string, certificates: PlannedCertificates, picture: PictureWriter): Keeper | undefined => {
    const { putCertificate: serve, batch } = picture;
    if (certificates.mode === 'none') return undefined;
    if (certificates.mode === 'manual') return createFileKeeper(id, certificates.files, { serve, batch, clock, log });
    if (certificates.mode === 'managed') {
      const { managed } = certificates;
      const [source, withdraw] = [deps.sourceFor(managed), picture.deleteCertificate];
      return createManagedKeeper(id, { source, cacheDir: managed.cacheDir, serve, withdraw, clock, log });
    }
    const { acme } = certificates;
    const cache = openCacheDirectory(acme.cacheDir, log);
    const issuance = deps.issuanceFor(acme, cache, presenter(picture));
    const wanted = { listener: id, names: acme.names, keyType: acme.key_type };
    const keeper = createAcmeKeeper(wanted, { cache, issuance, serve, clock, log });
    return { ...keeper, status: () => [keeper.status()] };
  };
  const startKeeper = async (entry: Kept) => {
    const { plan: listener, certificates } = entry.listener;
    entry.keeper = createKeeper(listener.id, certificates, entry.picture);
    await entry.keeper?.start();
  };
  const ofMode = (...modes: PlannedCertificates['mode'][]) =>
    [...kept.values()].filter(({ listener }) => modes.includes(listener.certificates.mode));

  return {
    get listeners() {
      return edge.listeners;
    },
    async start() {
      // Files first: what is wrong with them shows before anything listens.
      for (const entry of ofMode('manual', 'managed')) await startKeeper(entry);
      await edge.start();
      // The challenges of these are answered by workers that already run.
      await Promise.all(ofMode('acme').map(startKeeper));
    },
    async reload(next) {
      const before = plan;
      try {
        for (const stage of planReload(before, next)) await takeAndObtain(stage);
      } catch (error) {
        if (plan !== before)
          await takeAndObtain(before).catch((again: unknown) =>
            log.error({}, `what ran before the reload could not all be taken up again: ${errorText(again)}`),
          );
        throw error;
      }
    },
    async status() {
      return {
        listeners: edge.listeners.map((listener) => ({
          ...listener,
          certificates: kept.get(listener.id)?.keeper?.status() ?? [],
        })),
        routes: plan.routes.length,
        workers: edge.workers().map(({ slot, state }) => ({
          slot,
          status: state.status,
          ...('pid' in state && { pid: state.pid }),
        })),
        reports: await edge.reports(),
      };
    },
    async metrics() {
      return (await edge.metrics()) + daysLeft(kept.values(), clock.now());
    },
    renew() {
      for (const { keeper } of kept.values()) keeper?.renew?.();
    },
    sockets: edge.sockets,
    tickets: edge.tickets,
    async releaseCaches() {
      cachesReleased = true;
      await Promise.all(ofMode(...CACHING).map(({ keeper }) => keeper?.stop()));
    },
    async takeCaches() {
      cachesReleased = false;
      await Promise.all(ofMode(...CACHING).map(startKeeper));
    },
    replaceWorkers: edge.replaceWorkers,
    async stop(deadlineMs) {
      const running = cachesReleased ? ofMode('manual') : [...kept.values()];
      await Promise.all(running.map(({ keeper }) => keeper?.stop()));
      await edge.stop(deadlineMs);
      for (const { picture } of kept.values()) picture.close();
      shared.close();
    },
  };

  /** Challenges of listeners that are new are answered where they listen, so their certificates come last. */
  async function takeAndObtain(next: ProxyPlan): Promise<void> {
    for (const entry of await take(next)) if (entry.listener.certificates.mode === 'acme') await startKeeper(entry);
  }

  /** What the plan says from now on; answers with the listeners that are new. When it throws, nothing has changed. */
  async function take(next: ProxyPlan): Promise<Kept[]> {
    const ports = samePorts(plan, next) ? undefined : edge.relisten(next.listeners.map(withPicture));
    const added: Kept[] = [];
    const before = [...kept.values()];
    try {
      for (const listener of next.listeners) {
        const entry = kept.get(listener.plan.id);
        if (entry === undefined) {
          const fresh = keepPlace(listener);
          added.push(fresh);
          if (listener.certificates.mode !== 'acme') await startKeeper(fresh);
        } else if (same(entry.listener.certificates, listener.certificates))
          kept.set(listener.plan.id, { ...entry, listener });
        else kept.set(listener.plan.id, await exchange(entry, listener));
      }
    } catch (error) {
      ports?.abandon();
      for (const entry of added) await leavePlace(entry);
      for (const entry of before) await putBack(entry);
      throw error;
    }
    writeRoutes(shared, next, plan);
    const settings = { ...next, listeners: next.listeners.map(({ plan: listener }) => listener) };
    await (ports === undefined ? edge.configure(settings) : ports.commit(settings));
    plan = next;
    const ids = new Set(next.listeners.map((listener) => listener.plan.id));
    for (const entry of [...kept.values()]) if (!ids.has(entry.listener.plan.id)) await leavePlace(entry);
    return added;
  }

  async function putBack(entry: Kept): Promise<void> {
    const { id } = entry.listener.plan;
    const now = kept.get(id)!;
    if (now.keeper === entry.keeper) kept.set(id, entry);
    else
      await exchange(now, entry.listener).then(
        (again) => kept.set(id, again),
        (error: unknown) => log.error({ listener: id }, `the earlier certificates are not served: ${errorText(error)}`),
      );
  }

  /** The new keeper serves before the old one's certificates go; when it cannot, the old one is started again. */
  async function exchange(entry: Kept, listener: PlannedListener): Promise<Kept> {
    const next: Kept = { listener, picture: entry.picture, keeper: undefined };
    const before = new Set(entry.picture.certificateVersions().keys());
    await entry.keeper?.stop();
    try {
      await startKeeper(next);
    } catch (error) {
      await next.keeper?.stop();
      await startKeeper(entry).catch((again: unknown) =>
        log.error({ listener: listener.plan.id }, `the earlier keeper does not start either: ${errorText(again)}`),
      );
      throw error;
    }
    const after = next.keeper?.served === undefined ? idsOf(listener) : new Set(next.keeper.served());
    for (const id of before) if (!after.has(id)) entry.picture.deleteCertificate(id);
    return next;
  }
}

/** By listener and first name, so that an alert can say whose certificate it is. */
function daysLeft(all: Iterable<Kept>, now: number): string {
  const gauges = [...all].flatMap(({ listener, keeper }) =>
    (keeper?.status() ?? []).flatMap(({ names, notAfter }) => {
      if (notAfter === undefined) return [];
      const labels = [
        ['listener', listener.plan.id],
        ['name', names[0] ?? ''],
      ] as const;
      return [{ name: 'gatehouse_edge_certificate_days_left', labels, value: (notAfter - now) / 86_400_000 }];
    }),
  );
  return gauges.length === 0 ? '' : renderPrometheus({ counters: [], gauges, histograms: [] });
}

/** Whether the same listeners listen at the same places. */
function samePorts(before: ProxyPlan, next: ProxyPlan): boolean {
  const places = ({ listeners }: ProxyPlan) =>
    listeners.map(({ plan: { id, address, httpsPort, httpPort } }) => [id, address, httpsPort, httpPort]);
  return same(places(before), places(next));
}

const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);

function idsOf({ plan, certificates }: PlannedListener): Set<string> {
  if (certificates.mode === 'manual') return new Set(certificates.files.map((_, i) => `${plan.id}/${i}`));
  return new Set(certificates.mode === 'acme' ? [plan.id] : []);
}

/** One transaction with only what changed, so that connections to other sites notice nothing. */
function writeRoutes(picture: PictureWriter, next: ProxyPlan, before?: ProxyPlan): void {
  const old = new Map(before?.routes.map((route) => [route.id, route]));
  picture.batch(() => {
    for (const route of next.routes) {
      if (!same(old.get(route.id), route)) picture.putRoute(route);
      old.delete(route.id);
    }
    for (const id of old.keys()) picture.deleteRoute(id);
  });
}
