import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { createLogger, dataDirectory, errorText, type Logger, systemClock } from '../base/index.ts';
import { type Edge, handedSockets, startEdge } from '../edge/index.ts';
import { createPictureWriter } from '../picture/index.ts';
import { createSupervised, type Supervised } from '../process/index.ts';
import { createSealer, loadMasterKeys, type MasterKeys } from '../secrets/index.ts';
import { readArguments } from './arguments.ts';
import { loadUpConfig, type UpConfig } from './config.ts';
import {
  type ControlReady,
  type ControlStart,
  type FromControl,
  pictureFile,
  type ToControl,
} from './control-start.ts';
import { planEdge, readClientCa } from './edge-config.ts';
import { EDGE_TOLD_EVERY_MS } from './edge-side.ts';
import { greeting, type Reader } from './greeting.ts';
import { lockDataDirectory } from './lock.ts';
import { inheritedTickets, type Predecessor, startSuccessor, tellPredecessor } from './successor.ts';

const DRAIN_MS = 10_000;

const HELP = `Usage: gatehouse up [--config FILE] [--data-dir DIR] [--ready-file FILE]

Runs everything in one command: store, certificate authority, ACME server, certificate engine, edge, API and console.

  --config FILE      YAML; "gatehouse config schema" prints every key (default: all defaults, on loopback)
  --data-dir DIR     where everything is kept (default: $GATEHOUSE_DATA_DIR, else ~/.local/share/gatehouse)
  --ready-file FILE  gets one JSON object of addresses once everything serves
  --json             log JSON lines, and print the ready object instead of words
  --help

Signals: SIGUSR2 has a new process take over (another version, too), while the edge serves on; SIGTERM and SIGINT finish
what is open and end.
`;

const OPTIONS = {
  config: { type: 'string' },
  'data-dir': { type: 'string' },
  'ready-file': { type: 'string' },
} as const;

export async function run(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const read = readArguments('up', HELP, argv, OPTIONS);
  if (read === undefined) return 0;
  const options = read.values;
  const config = loadUpConfig(options.config, env);
  const dataDir = resolve(dataDirectory(env, options['data-dir']));
  const pretty =
    config.log.format === 'auto' ? process.stderr.isTTY && options.json !== true : config.log.format === 'pretty';
  const log = createLogger({ level: config.log.level, pretty });
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  let lock: { release(): void } | undefined = lockDataDirectory(dataDir);
  const masterKeys = loadMasterKeys({
    file: join(dataDir, 'master.key'),
    ...(env.GATEHOUSE_MASTER_KEY !== undefined && { value: env.GATEHOUSE_MASTER_KEY }),
  });
  try {
    await supervise({
      config,
      dataDir,
      masterKeys,
      log,
      pretty,
      readyFile: options['ready-file'],
      json: options.json === true,
      env,
      argv,
      configFile: options.config,
      unlock() {
        lock?.release();
        lock = undefined;
      },
      lockAgain() {
        lock = lockDataDirectory(dataDir);
      },
    });
  } finally {
    lock?.release();
  }
  return 0;
}

interface Supervision {
  readonly config: UpConfig;
  readonly dataDir: string;
  readonly masterKeys: MasterKeys;
  readonly log: Logger;
  readonly pretty: boolean;
  readonly readyFile: string | undefined;
  readonly json: boolean;
  readonly env: NodeJS.ProcessEnv;
  readonly argv: readonly string[];
  readonly configFile: string | undefined;
  /** For a process that takes over; one data directory is one process's. */
  unlock(): void;
  lockAgain(): void;
}

/** Starts both halves, tells when everything serves, and returns when it has been told to stop and all is down. */
async function supervise(given: Supervision): Promise<void> {
  const { config, dataDir, masterKeys, log } = given;
  const picture = pictureFile(dataDir);
  // Made here, so that workers find it whichever half is up first.
  createPictureWriter(picture, createSealer(masterKeys)).close();
  const takenOver = Promise.withResolvers<undefined>();
  const stopped = Promise.race([stopSignal(log), takenOver.promise]);
  const tickets = await inheritedTickets(given.env);
  const awaitCertificateMs = config.domains.on_demand.wait_seconds * 1_000;
  const clientCa = readClientCa(config.edge);
  const edge = startEdge(
    {
      ...planEdge(config.edge, { awaitCertificateMs, clientCa }),
      picture: { path: picture, masterKeys },
      workers: config.edge.workers ?? availableParallelism(),
      log: { level: config.log.level, pretty: given.pretty },
      env: environmentOf(given.env),
      handed: handedSockets(given.env),
      ...(tickets && { tickets }),
      onWantedName: (name, address) => control.send({ type: 'wanted_name', name, address } satisfies ToControl),
    },
    { clock: systemClock, log },
  );
  const ended = new AbortController();
  const edgePorts = portsOf(edge);
  let ports: ControlReady['ports'] | undefined;
  const startControl = (): Supervised =>
    createSupervised(
      {
        name: 'control half',
        entry: new URL('./control-half.ts', import.meta.url),
        env: environmentOf(given.env),
        init: (): ControlStart => ({
          config,
          dataDir,
          masterKeys,
          edge: edgePorts,
          ...(ports && { ports }),
        }),
        onMessage: (body) => {
          const { name, forMs } = body as FromControl;
          edge.refuseName(name, forMs);
        },
        onReady: (body) => {
          ports = (body as ControlReady).ports;
          const state = control.state();
          log.info({ pid: 'pid' in state ? state.pid : undefined }, 'the control half serves');
        },
      },
      { clock: systemClock, log },
    );
  let control = startControl();
  try {
    // Our own CA is there when the control half is; nothing is served before it, where clients' certificates are asked for.
    const ownCa = config.edge.client_certificates !== undefined && clientCa === undefined;
    const edgeStarted = ownCa
      ? control.firstReady
          .then((ready) => readFileSync((ready as ControlReady).caRootFile, 'utf8'))
          .then((ca) => edge.configure(planEdge(config.edge, { awaitCertificateMs, clientCa: ca })))
          .then(edge.start)
      : edge.start();
    const serving = Promise.all([control.firstReady, edgeStarted]).then(([ready]) => ready as ControlReady);
    const ready = await Promise.race([serving, stopped]);
    if (ready !== undefined) {
      onUpgrade(given, edge, {
        letGo: async () => {
          await control.stop(DRAIN_MS);
          given.unlock();
        },
        takeBack: async () => {
          given.lockAgain();
          control = startControl();
          await control.firstReady;
          control.send({ type: 'announced' } satisfies ToControl);
        },
        done: () => takenOver.resolve(undefined),
      });
      announce(given, ready, edgePorts);
      control.send({ type: 'announced' } satisfies ToControl);
      tellPredecessor(given.env);
      tellNumbers(edge, (body) => control.send(body), ended.signal).catch(() => {});
      await stopped;
    }
  } finally {
    ended.abort(new Error('stopping'));
    await Promise.all([control.stop(DRAIN_MS), edge.stop(DRAIN_MS)]);
  }
}

/** SIGUSR2: the edge's sockets are handed on open; the control half stands still until the new process has its own. */
function onUpgrade(
  { env, argv, configFile, log }: Supervision,
  { sockets, tickets }: Edge,
  { done, ...exchange }: Pick<Predecessor, 'letGo' | 'takeBack'> & { done(): void },
): void {
  let last: Promise<void> = Promise.resolve();
  const upgrade = async () => {
    // What is wrong with the file shows before anything is let go of.
    loadUpConfig(configFile, env);
    const pid = await startSuccessor({ command: 'up', argv, sockets, tickets, ...exchange }, log);
    log.info({ successor: pid }, `process ${pid} has taken over`);
    done();
  };
  process.on('SIGUSR2', () => {
    last = last.then(upgrade).catch((error: unknown) => log.error({}, `no upgrade: ${errorText(error)}`));
  });
}

/** The control half shows what the edge counts, and cannot ask it: they are siblings. */
async function tellNumbers(edge: Edge, tell: (body: ToControl) => void, signal: AbortSignal): Promise<void> {
  for (;;) {
    tell({ type: 'edge', samples: await edge.numbers() });
    await systemClock.sleep(EDGE_TOLD_EVERY_MS, signal);
  }
}

function portsOf(edge: Edge): ControlStart['edge'] {
  const [listener] = edge.listeners;
  return { httpsPort: listener?.httpsPort ?? 0, httpPort: listener?.httpPort ?? 0 };
}

function announce(given: Supervision, ready: ControlReady, edgePorts: ControlStart['edge']): void {
  const { config, readyFile, json } = given;
  const api = `http://${hostOf(config.api.address)}:${ready.ports.api}`;
  const places = {
    api,
    console: `${api}/app`,
    mcp: `${api}/mcp`,
    acme_directory: ready.acmeDirectory,
    ca_root_file: ready.caRootFile,
    edge_https: `https://${hostOf(config.edge.address)}:${edgePorts.httpsPort}`,
    edge_http: `http://${hostOf(config.edge.address)}:${edgePorts.httpPort}`,
    ...(ready.adminToken !== undefined && { admin_token: ready.adminToken }),
    pid: process.pid,
  };
  if (readyFile !== undefined) {
    // Moved into place, so that who waits for the file never reads half of it.
    const draft = `${readyFile}.${process.pid}`;
    writeFileSync(draft, `${JSON.stringify(places)}\n`, { mode: 0o600 });
    renameSync(draft, readyFile);
  }
  process.stdout.write(json ? `${JSON.stringify(places)}\n` : greeting(places, readerOf(given.env)));
}

const readerOf = (env: NodeJS.ProcessEnv): Reader => ({
  colour: process.stdout.isTTY,
  // Only a checkout has the lock file: a release has its packages instead.
  command: existsSync(join(import.meta.dirname, '../../package-lock.json')) ? 'npx gatehouse' : 'gatehouse',
  // systemd.exec(5): set where standard output is the journal.
  journal: env.JOURNAL_STREAM !== undefined,
});

const hostOf = (address: string) =>
  address === '0.0.0.0' || address === '::' ? 'localhost' : address.includes(':') ? `[${address}]` : address;

/** Children inherit nothing by themselves; these are what Node and name lookups need, and none is a secret. */
export function environmentOf(env: NodeJS.ProcessEnv): Record<string, string | undefined> {
  return {
    PATH: env.PATH,
    HOME: env.HOME,
    TZ: env.TZ,
    NODE_OPTIONS: env.NODE_OPTIONS,
    NODE_EXTRA_CA_CERTS: env.NODE_EXTRA_CA_CERTS,
    NODE_COMPILE_CACHE: env.NODE_COMPILE_CACHE,
  };
}

/** Resolves at the first SIGINT or SIGTERM; a second one ends the process at once. */
export function stopSignal(log: Logger): Promise<undefined> {
  return new Promise((done) => {
    let asked = false;
    const onSignal = (signal: NodeJS.Signals) => {
      if (asked) process.exit(1);
      asked = true;
      log.info({ signal }, 'stopping; a second signal stops at once');
      done(undefined);
    };
    process.on('SIGINT', onSignal);
    process.on('SIGTERM', onSignal);
  });
}
