import { mkdtempSync, rmSync } from 'node:fs';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger, faultOf, type Logger, systemClock } from '../base/index.ts';
import { createProxy, handedSockets, type OperatorDeps, type RunningProxy, takesOver } from '../edge/index.ts';
import { readArguments, usage } from './arguments.ts';
import { type Actions, actOnSignals, createActions } from './proxy/actions.ts';
import { announce } from './proxy/announce.ts';
import { loadProxyConfig, placed } from './proxy/load-proxy-config.ts';
import { serveOperators } from './proxy/operators.ts';
import { type StopSignal, stopSignal } from './proxy/stop-signal.ts';
import { inheritedTickets, tellPredecessor } from './successor.ts';

const HELP = `Usage: gatehouse proxy --config FILE [--ready-file FILE]

Runs the edge alone: a TLS-terminating reverse proxy with certificates from files or from an ACME server.

  --config FILE      YAML; "gatehouse config schema proxy" prints every key
  --ready-file FILE  gets one JSON object of addresses once everything serves
  --json             log JSON lines
  --help

Signals: SIGHUP reads FILE again, SIGUSR2 has a new process take over (another version, too), SIGTERM and SIGINT finish
what is open and end.
`;

interface Given {
  readonly file: string;
  readonly readyFile: string | undefined;
  readonly json: boolean;
  readonly env: NodeJS.ProcessEnv;
  readonly argv: readonly string[];
}

export async function run(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const read = readArguments('proxy', HELP, argv, { config: { type: 'string' }, 'ready-file': { type: 'string' } });
  if (read === undefined) return 0;
  const options = read.values;
  if (options.config === undefined) throw usage('proxy', '--config FILE is missing');
  const json = options.json === true;
  await runProxy({ file: options.config, readyFile: options['ready-file'], json, env, argv });
  return 0;
}

/** Returns when the proxy was told to stop and has stopped; throws the `Fault` for which it cannot start. */
async function runProxy(given: Given): Promise<void> {
  // With files alone the ACME client is not loaded, which is a fifth of the process.
  let acme: typeof import('./proxy/acme-issuance.ts') | undefined;
  let managed: typeof import('./proxy/managed-source.ts') | undefined;
  const load = async () => {
    const loaded = loadProxyConfig(given.file, given.env);
    if (loaded.plan.listeners.some(({ certificates }) => certificates.mode === 'acme'))
      acme ??= await import('./proxy/acme-issuance.ts');
    if (loaded.plan.listeners.some(({ certificates }) => certificates.mode === 'managed'))
      managed ??= await import('./proxy/managed-source.ts');
    return loaded;
  };
  const first = await load();
  const { level, format } = first.config.log;
  const pretty = format === 'auto' ? process.stderr.isTTY && !given.json : format === 'pretty';
  const log = createLogger({ level, pretty });
  // Private, and gone with the process: it holds nothing that cannot be made again.
  const runtimeDir = mkdtempSync(join(given.env.RUNTIME_DIRECTORY?.split(':')[0] ?? tmpdir(), 'gatehouse-proxy-'));
  const stop = stopSignal(log);
  const tickets = await inheritedTickets(given.env);
  const servers: Server[] = [];
  let proxy: RunningProxy | undefined;
  let actions: Actions | undefined;
  try {
    proxy = createProxy(
      {
        plan: first.plan,
        workers: first.config.workers,
        runtimeDir,
        log: { level, pretty },
        env: environmentOf(given.env),
        handed: handedSockets(given.env),
        ...(tickets && { tickets }),
      },
      {
        clock: systemClock,
        log,
        issuanceFor: (planned, cache, present) =>
          acme!.createAcmeIssuance(planned, cache, present, { clock: systemClock, log }),
        sourceFor: (planned) => managed!.createManagedSource(planned),
      },
    );
    actions = createActions({ load, first, proxy, stop, servers, argv: given.argv, log });
    actOnSignals(actions, log);
    await serve(given, { proxy, actions, stop, servers, log });
  } catch (error) {
    throw placed(faultOf(error), first.place);
  } finally {
    await proxy?.stop((actions?.current() ?? first).config.drain_seconds * 1000);
    for (const server of servers) server.close();
    rmSync(runtimeDir, { recursive: true, force: true });
  }
}

interface Serving {
  readonly proxy: RunningProxy;
  readonly actions: Actions;
  readonly stop: StopSignal;
  readonly servers: Server[];
  readonly log: Logger;
}

/** Until it is told to stop. */
async function serve(given: Given, { proxy, actions, stop, servers, log }: Serving): Promise<void> {
  const operator: OperatorDeps = {
    proxy,
    reload: actions.reload,
    upgrade: actions.upgrade,
    drain: () => stop.now('asked by the admin socket'),
    draining: stop.asked,
    startedAt: systemClock.now(),
    clock: systemClock,
  };
  const loaded = actions.current();
  const openOperators = (patient: boolean) => serveOperators(loaded, operator, { servers, log, patient });
  const patient = takesOver(given.env);
  // Health first: who watches sees "not ready" rather than nothing while certificates are got. But a process that this
  // one takes over from has their places until we serve.
  let healthPort = patient ? undefined : await openOperators(false);
  const ended = await Promise.race([proxy.start().then(() => false), stop.wanted.then(() => true)]);
  if (ended) return;
  tellPredecessor(given.env);
  if (patient) healthPort = await openOperators(true);
  await announce(given, loaded, proxy, healthPort);
  log.info({ listeners: proxy.listeners }, 'the proxy serves');
  await stop.wanted;
}

/** Workers inherit nothing by themselves; these are what Node needs, and none is a secret. */
const environmentOf = ({ PATH, TZ, NODE_OPTIONS, NODE_EXTRA_CA_CERTS, NODE_COMPILE_CACHE }: NodeJS.ProcessEnv) => ({
  PATH,
  TZ,
  NODE_OPTIONS,
  NODE_EXTRA_CA_CERTS,
  NODE_COMPILE_CACHE,
});
