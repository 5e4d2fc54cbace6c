import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createLogger, errorText, Fault, faultOf, type Logger, systemClock } from '../base/index.ts';
import {
  adminRoutes,
  createProxy,
  healthRoutes,
  listenOnPort,
  listenOnSocket,
  type OperatorDeps,
  type RunningProxy,
  serveRoutes,
} from '../edge/index.ts';
import { createAcmeIssuance } from './proxy/acme-issuance.ts';
import { type LoadedProxy, loadProxyConfig, placed } from './proxy/load-proxy-config.ts';
import { proxyGreeting } from './proxy/proxy-greeting.ts';

const HELP = `Usage: gatehouse proxy --config FILE [--ready-file FILE]

Runs the edge alone: a TLS-terminating reverse proxy with certificates from files or from an ACME server.

  --config FILE      YAML; "gatehouse config schema proxy" prints every key
  --ready-file FILE  gets one JSON object of addresses once everything serves
  --json             log JSON lines
  --help

Signals: SIGHUP reads FILE again, SIGTERM and SIGINT finish what is open and end.
`;

interface Given {
  readonly file: string;
  readonly readyFile: string | undefined;
  readonly json: boolean;
  readonly env: NodeJS.ProcessEnv;
}

export async function run(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const options = parse(argv);
  if (options.help === true) {
    process.stdout.write(HELP);
    return 0;
  }
  if (options.config === undefined) throw usage('--config FILE is missing');
  await runProxy({ file: options.config, readyFile: options['ready-file'], json: options.json === true, env });
  return 0;
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      options: {
        config: { type: 'string' },
        'ready-file': { type: 'string' },
        json: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values;
  } catch (error) {
    throw usage((error as Error).message.split('\n')[0]!);
  }
}

const usage = (detail: string) =>
  new Fault({ code: 'usage', detail, party: 'operator', retry: 'never', advice: 'gatehouse proxy --help' });

/** Returns when the proxy was told to stop and has stopped; throws the `Fault` for which it cannot start. */
async function runProxy(given: Given): Promise<void> {
  let loaded = loadProxyConfig(given.file, given.env);
  const { level, format } = loaded.config.log;
  const pretty = format === 'auto' ? process.stderr.isTTY && !given.json : format === 'pretty';
  const log = createLogger({ level, pretty });
  // Private, and gone with the process: it holds nothing that cannot be made again.
  const runtimeDir = mkdtempSync(join(given.env.RUNTIME_DIRECTORY?.split(':')[0] ?? tmpdir(), 'gatehouse-proxy-'));
  const stop = stopSignal(log);
  const servers: Server[] = [];
  let proxy: RunningProxy | undefined;
  try {
    const running = createProxy(
      {
        plan: loaded.plan,
        workers: loaded.config.workers,
        runtimeDir,
        log: { level, pretty },
        env: environmentOf(given.env),
      },
      {
        clock: systemClock,
        log,
        issuanceFor: (acme, cache, present) => createAcmeIssuance(acme, cache, present, { clock: systemClock, log }),
      },
    );
    proxy = running;
    const reload = serially(async () => {
      const next = loadProxyConfig(given.file, given.env);
      await running.reload(next.plan).catch((error: unknown) => {
        throw placed(faultOf(error), next.place);
      });
      loaded = next;
      log.info({ file: given.file }, 'the configuration was read again');
    });
    process.on('SIGHUP', () => {
      reload().catch((error: unknown) =>
        log.error({ file: given.file }, `the running configuration stays: ${errorText(error)}`),
      );
    });
    const operator: OperatorDeps = {
      proxy: running,
      reload,
      drain: () => stop.now('asked by the admin socket'),
      draining: stop.asked,
      startedAt: systemClock.now(),
      clock: systemClock,
    };
    // Health first: who watches sees "not ready" rather than nothing while certificates are got.
    const healthPort = await serveOperators(loaded, operator, servers, log);
    const ended = await Promise.race([running.start().then(() => false), stop.wanted.then(() => true)]);
    if (!ended) {
      await announce(given, loaded, running, healthPort);
      log.info({ listeners: running.listeners }, 'the proxy serves');
      await stop.wanted;
    }
  } catch (error) {
    throw placed(faultOf(error), loaded.place);
  } finally {
    await proxy?.stop(loaded.config.drain_seconds * 1000);
    for (const server of servers) server.close();
    rmSync(runtimeDir, { recursive: true, force: true });
  }
}

async function serveOperators(
  { config }: LoadedProxy,
  operator: OperatorDeps,
  servers: Server[],
  log: Logger,
): Promise<number | undefined> {
  const { health, admin } = config;
  if (admin !== undefined) {
    const server = serveRoutes(adminRoutes(operator), log);
    servers.push(server);
    await listenOnSocket(server, admin.socket);
  }
  if (health === undefined) return undefined;
  const server = serveRoutes(healthRoutes(operator), log);
  servers.push(server);
  return listenOnPort(server, health.address, health.port);
}

/** One after another, each with an answer of its own. */
function serially(work: () => Promise<void>): () => Promise<void> {
  let last: Promise<void> = Promise.resolve();
  return () => {
    last = last.catch(() => {}).then(work);
    return last;
  };
}

async function announce(
  { file, readyFile, json }: Given,
  { config, plan }: LoadedProxy,
  proxy: RunningProxy,
  healthPort: number | undefined,
): Promise<void> {
  const urlOf = (scheme: string, address: string, port: number | undefined) =>
    port === undefined ? undefined : `${scheme}://${hostOf(address)}:${port}`;
  const listeners = proxy.listeners.map(({ id, address, httpsPort, httpPort }) => ({
    id,
    https: urlOf('https', address, httpsPort),
    http: urlOf('http', address, httpPort),
  }));
  const places = {
    edge_https: listeners.find(({ https }) => https !== undefined)?.https,
    edge_http: listeners.find(({ http }) => http !== undefined)?.http,
    listeners,
    health: urlOf('http', config.health?.address ?? '', healthPort),
    pid: process.pid,
  };
  if (readyFile !== undefined) {
    // Moved into place, so that who waits for the file never reads half of it.
    const draft = `${readyFile}.${process.pid}`;
    writeFileSync(draft, `${JSON.stringify(places)}\n`, { mode: 0o600 });
    renameSync(draft, readyFile);
  }
  const { format, file: accessFile } = config.access_log;
  if (json) process.stdout.write(`${JSON.stringify(places)}\n`);
  // Standard output is the access log's where that is asked for.
  else if (format === 'off' || accessFile !== undefined)
    process.stdout.write(
      proxyGreeting({ ...places, file, adminSocket: config.admin?.socket }, plan, await proxy.status()),
    );
}

const hostOf = (address: string) =>
  address === '0.0.0.0' || address === '::' ? 'localhost' : address.includes(':') ? `[${address}]` : address;

/** Workers inherit nothing by themselves; these are what Node needs, and none is a secret. */
const environmentOf = ({ PATH, TZ, NODE_OPTIONS, NODE_EXTRA_CA_CERTS }: NodeJS.ProcessEnv) => ({
  PATH,
  TZ,
  NODE_OPTIONS,
  NODE_EXTRA_CA_CERTS,
});

interface StopSignal {
  readonly wanted: Promise<void>;
  now(reason: string): void;
  asked(): boolean;
}

/** SIGTERM or SIGINT, or being asked; a second signal ends the process at once. */
function stopSignal(log: Logger): StopSignal {
  let asked = false;
  let resolve = () => {};
  const wanted = new Promise<void>((done) => {
    resolve = done;
  });
  const now = (reason: string) => {
    if (asked) return;
    asked = true;
    log.info({ reason }, 'the proxy stops; a second signal stops it at once');
    resolve();
  };
  const onSignal = (signal: NodeJS.Signals) => (asked ? process.exit(1) : now(signal));
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return { wanted, now, asked: () => asked };
}
