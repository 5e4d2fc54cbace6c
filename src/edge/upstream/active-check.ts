import { errorText, http } from '../../base/index.ts';
import type { HealthRules } from '../../picture/index.ts';
import type { Target } from './target.ts';

type ActiveRules = NonNullable<HealthRules['active']>;

export interface CheckResult {
  readonly well: boolean;
  readonly detail: string;
}

const DEFAULT_TIMEOUT_MS = 2_000;

/**
 * Asks an upstream once whether it is well. Never throws. Health checks are rare: Node's own clients do for them, and are
 * loaded by the first.
 */
export async function checkUpstream(target: Target, rules: ActiveRules): Promise<CheckResult> {
  const timeout = AbortSignal.timeout(rules.timeoutMs ?? DEFAULT_TIMEOUT_MS);
  try {
    const status =
      target.protocol === 'h2'
        ? await askHttp2(target, rules.path, timeout)
        : await askHttp1(target, rules.path, timeout);
    const well = rules.statuses === undefined ? status >= 200 && status < 400 : rules.statuses.includes(status);
    return { well, detail: `its health check answered ${status}` };
  } catch (error) {
    return {
      well: false,
      detail: `its health check failed: ${timeout.aborted ? 'no answer in time' : errorText(error)}`,
    };
  }
}

function askHttp1({ transport, tls, authority }: Target, path: string, signal: AbortSignal): Promise<number> {
  const where = 'path' in transport ? { socketPath: transport.path } : transport;
  const secure =
    tls === undefined
      ? {}
      : {
          servername: tls.serverName,
          rejectUnauthorized: !tls.insecure,
          ...(tls.ca === undefined ? {} : { ca: tls.ca }),
        };
  return new Promise((resolve, reject) => {
    const { request: ask } = tls === undefined ? http : process.getBuiltinModule('node:https');
    const options = {
      ...where,
      ...secure,
      path,
      signal,
      agent: false,
      headers: { host: authority, 'user-agent': 'gatehouse-health' },
    };
    const request = ask(options, (response) => {
      resolve(response.statusCode ?? 0);
      response.destroy();
    });
    request.on('error', reject);
    request.end();
  });
}

function askHttp2({ transport, authority }: Target, path: string, signal: AbortSignal): Promise<number> {
  return new Promise((resolve, reject) => {
    const { connect } = process.getBuiltinModule('node:http2');
    const session = connect(`http://${authority}`, 'path' in transport ? {} : transport);
    const end = (settle: () => void) => {
      settle();
      session.destroy();
    };
    session.on('error', (error) => end(() => reject(error)));
    const stream = session.request({ ':path': path, ':authority': authority });
    stream.on('response', (fields) => end(() => resolve(Number(fields[':status']))));
    stream.on('error', (error) => end(() => reject(error)));
    signal.addEventListener('abort', () => end(() => reject(signal.reason)), { once: true });
    stream.end();
  });
}
