import type { Clock } from '../../base/index.ts';
import type { ProxyStatus, RunningProxy } from '../proxy/create-proxy.ts';
import type { Answer, Routes } from './serve-json.ts';

export interface OperatorDeps {
  readonly proxy: RunningProxy;
  /** Reads the configuration again; rejects with why it is not taken. */
  reload(): Promise<void>;
  /** Begins the end of the process, as SIGTERM does. */
  drain(): void;
  /** Has a new process take over, as SIGUSR2 does; rejects when it does not get there. */
  upgrade(): Promise<void>;
  draining(): boolean;
  readonly startedAt: number;
  readonly clock: Clock;
}

const done: Answer = { status: 200, body: { ok: true } };

/** Over the unix socket: everything. */
export function adminRoutes(deps: OperatorDeps): Routes {
  const { proxy } = deps;
  return {
    'GET /status': async () => ({
      status: 200,
      body: {
        pid: process.pid,
        startedAt: new Date(deps.startedAt),
        draining: deps.draining(),
        ...brief(await proxy.status()),
      },
    }),
    'GET /certificates': async () => ({ status: 200, body: certificatesOf(await proxy.status()) }),
    'GET /connections': async () => ({
      status: 200,
      body: (await proxy.status()).reports.flatMap(({ pid, connections }) =>
        connections.map((connection) => ({ worker: pid, ...connection })),
      ),
    }),
    'POST /reload': async () => {
      await deps.reload();
      return done;
    },
    'POST /renew': () => {
      proxy.renew();
      return done;
    },
    'POST /upgrade': async () => {
      await deps.upgrade();
      return done;
    },
    'POST /drain': () => {
      deps.drain();
      return done;
    },
  };
}

/** Over the local port: what a supervisor, a load balancer and Prometheus ask. */
export function healthRoutes(deps: OperatorDeps): Routes {
  return {
    'GET /healthz': () => ({ status: 200, body: 'ok\n' }),
    'GET /metrics': async () => ({ status: 200, body: await deps.proxy.metrics(), type: 'text/plain; version=0.0.4' }),
    'GET /readyz': async () => {
      const reason = deps.draining() ? 'draining' : notReady(await deps.proxy.status(), deps.clock.now());
      return reason === undefined ? { status: 200, body: 'ok\n' } : { status: 503, body: `${reason}\n` };
    },
  };
}

/** Ready is: a worker that serves, and for each TLS listener a certificate. */
export function notReady(status: ProxyStatus, now: number): string | undefined {
  if (!status.workers.some((worker) => worker.status === 'ready')) return 'no worker serves';
  for (const { id, httpsPort, certificates } of status.listeners) {
    if (httpsPort === undefined) continue;
    if (!certificates.some(({ notAfter }) => notAfter !== undefined)) return `listener ${id} has no certificate`;
    if (!certificates.some(({ notAfter }) => notAfter !== undefined && notAfter > now))
      return `the certificate of listener ${id} has expired`;
  }
  return undefined;
}

/** What a person looks at first; numbers and connections have answers of their own. */
const brief = ({ reports, ...status }: ProxyStatus) => ({
  ...status,
  reports: reports.map(({ samples: _, connections, ...report }) => ({ ...report, connections: connections.length })),
});

function certificatesOf({ listeners }: ProxyStatus) {
  const date = (time: number | undefined) => (time === undefined ? undefined : new Date(time));
  return listeners.flatMap(({ id, certificates }) =>
    certificates.map(({ notAfter, nextAttemptAt, ...rest }) => ({
      listener: id,
      ...rest,
      notAfter: date(notAfter),
      nextAttemptAt: date(nextAttemptAt),
    })),
  );
}
