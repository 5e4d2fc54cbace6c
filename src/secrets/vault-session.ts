import { readFileSync } from 'node:fs';
import type { Agent } from 'undici';
import { type Clock, errorText, Fault, faultOf, type Logger } from '../base/index.ts';

/** How we show who we are. What is secret is read from its file at each login, so that it can be changed there. */
export type VaultLogin =
  | { readonly kind: 'token'; readonly tokenFile: string }
  | { readonly kind: 'approle'; readonly mount: string; readonly roleId: string; readonly secretIdFile: string }
  | { readonly kind: 'kubernetes'; readonly mount: string; readonly role: string; readonly jwtFile: string };

export interface VaultOptions {
  /** Base URL of Vault or OpenBao. */
  readonly address: string;
  readonly namespace?: string;
  /** PEM of the roots that its HTTPS is checked with; the usual ones when absent. */
  readonly caPem?: string;
  readonly login: VaultLogin;
}

export interface VaultAnswer {
  readonly status: number;
  readonly json: Readonly<Record<string, unknown>>;
}

/** Calls under a token that is renewed, and got anew when it was lost. */
export interface VaultSession {
  /** 2xx and 404 are answers; everything else is a `Fault` of party `secret-store`. */
  call(method: 'GET' | 'POST' | 'DELETE', path: string, body?: object): Promise<VaultAnswer>;
  /** Renews the token before it ends, until the signal. */
  keepAlive(signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

interface Lease {
  readonly token: string;
  readonly renewable: boolean;
  /** Seconds that it was granted for at its login; 0 for one that does not end. */
  readonly seconds: number;
  /** When to renew it; never for one that does not end. */
  readonly renewAt: number;
}

const CALL_MS = 10_000;
const LARGEST_ANSWER = 4 * 1024 * 1024;
const RETRY_MS = 15_000;
const LONGEST_REST_MS = 3600_000;

export function createVaultSession(options: VaultOptions, clock: Clock, log: Logger): VaultSession {
  // Loaded for who has a Vault: every edge worker shares this room, and would keep six megabytes for it.
  let agent: Agent | undefined;
  const openAgent = async () => {
    const { Agent } = await import('undici');
    agent ??= new Agent({ connect: { ca: options.caPem }, connections: 8 });
    return agent;
  };
  let lease: Promise<Lease> | undefined;

  async function send(
    method: 'GET' | 'POST' | 'DELETE',
    path: string,
    token?: string,
    body?: object,
  ): Promise<VaultAnswer> {
    try {
      const dispatcher = await openAgent();
      const { request } = await import('undici');
      const answer = await request(`${options.address.replace(/\/$/, '')}/v1/${path}`, {
        method,
        dispatcher,
        signal: AbortSignal.timeout(CALL_MS),
        headers: {
          'x-vault-request': 'true',
          ...(token !== undefined && { 'x-vault-token': token }),
          ...(options.namespace !== undefined && { 'x-vault-namespace': options.namespace }),
          ...(body !== undefined && { 'content-type': 'application/json' }),
        },
        body: body === undefined ? undefined : JSON.stringify(body),
      });
      return { status: answer.statusCode, json: await boundedJson(answer.body) };
    } catch (error) {
      throw unreachable(errorText(error), error);
    }
  }

  async function logIn(): Promise<Lease> {
    const { login } = options;
    if (login.kind === 'token') {
      const token = readSecretFile(login.tokenFile);
      const { status, json } = await send('GET', 'auth/token/lookup-self', token);
      if (status !== 200) throw refused('the token', status, json);
      const { ttl = 0, renewable = false } = (json.data ?? {}) as { ttl?: number; renewable?: boolean };
      return leaseOf(token, ttl, renewable);
    }
    const body =
      login.kind === 'approle'
        ? { role_id: login.roleId, secret_id: readSecretFile(login.secretIdFile) }
        : { role: login.role, jwt: readSecretFile(login.jwtFile) };
    const { status, json } = await send('POST', `auth/${login.mount}/login`, undefined, body);
    if (status !== 200) throw refused(`the ${login.kind} login`, status, json);
    const { client_token, lease_duration, renewable } = json.auth as {
      client_token: string;
      lease_duration: number;
      renewable: boolean;
    };
    return leaseOf(client_token, lease_duration, renewable);
  }

  const leaseOf = (token: string, seconds: number, renewable: boolean): Lease => ({
    token,
    renewable,
    seconds,
    renewAt: seconds > 0 ? clock.now() + (seconds * 1000 * 2) / 3 : Number.POSITIVE_INFINITY,
  });

  function currentLease(): Promise<Lease> {
    if (lease === undefined) {
      const mine = logIn();
      lease = mine;
      mine.catch(() => {
        if (lease === mine) lease = undefined;
      });
    }
    return lease;
  }

  async function renewed(old: Lease): Promise<Lease> {
    if (old.renewable) {
      const { status, json } = await send('POST', 'auth/token/renew-self', old.token, {});
      const { lease_duration = 0, renewable = false } = (json.auth ?? {}) as {
        lease_duration?: number;
        renewable?: boolean;
      };
      // Near its longest life a token is renewed for less and less: then it is time for another login.
      const fresh = leaseOf(old.token, lease_duration, renewable);
      if (status === 200 && lease_duration * 2 >= old.seconds) return { ...fresh, seconds: old.seconds };
    }
    return logIn();
  }

  return {
    async call(method, path, body) {
      const { token } = await currentLease();
      let answer = await send(method, path, token, body);
      if (answer.status === 403) {
        // The token may have been revoked, or have ended while we slept: once more under a new one.
        lease = undefined;
        answer = await send(method, path, (await currentLease()).token, body);
      }
      const { status, json } = answer;
      if ((status >= 200 && status < 300) || status === 404) return answer;
      throw refused(`${method} ${path}`, status, json);
    },
    async keepAlive(signal) {
      while (!signal.aborted) {
        try {
          const held = await currentLease();
          const rest = Math.max(0, held.renewAt - clock.now());
          await clock.sleep(Math.min(rest, LONGEST_REST_MS), signal);
          if (clock.now() < held.renewAt) continue;
          const fresh = await renewed(held);
          lease = Promise.resolve(fresh);
        } catch (error) {
          if (signal.aborted) return;
          log.warn({ problem: faultOf(error).message }, 'the lease at the secret store could not be renewed yet');
          await clock.sleep(RETRY_MS, signal).catch(() => {});
        }
      }
    },
    close: async () => agent?.close(),
  };
}

function readSecretFile(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw new Fault(
      {
        code: 'secret_store_login',
        detail: `${file} cannot be read: ${errorText(error)}`,
        party: 'operator',
        retry: 'backoff',
        advice: 'put the credential of the secret store there, readable by this service alone',
      },
      error,
    );
  }
}

async function boundedJson(body: AsyncIterable<Buffer>): Promise<Readonly<Record<string, unknown>>> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > LARGEST_ANSWER) throw new Error('the answer is too large');
    chunks.push(chunk);
  }
  if (size === 0) return {};
  const parsed: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8'));
  return typeof parsed === 'object' && parsed !== null ? (parsed as Record<string, unknown>) : {};
}

function unreachable(why: string, cause: unknown): Fault {
  return new Fault(
    {
      code: 'secret_store_unreachable',
      detail: `the secret store cannot be reached: ${why}`,
      party: 'secret-store',
      retry: 'backoff',
      advice: 'what is served is served on; new certificates wait until it is back',
      status: 503,
    },
    cause,
  );
}

function refused(what: string, status: number, json: Readonly<Record<string, unknown>>): Fault {
  const errors = Array.isArray(json.errors) ? json.errors.filter((one) => typeof one === 'string') : [];
  const said = errors.join('; ').slice(0, 300) || `HTTP ${status}`;
  if (status >= 500 || status === 429) return unreachable(`${what}: ${said}`, undefined);
  return new Fault({
    code: 'secret_store_refused',
    detail: `the secret store refuses ${what}: ${said}`,
    party: 'secret-store',
    retry: 'backoff',
    advice: 'check the policy of the role, its mounts, and that its credential is current',
    status: 503,
  });
}
