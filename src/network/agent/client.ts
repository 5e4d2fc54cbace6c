import { Agent, request } from 'node:https';
import { errorText, Fault } from '../../base/index.ts';
import type { DesiredState } from '../desired-state.ts';

export interface Identity {
  readonly ca: string;
  readonly key?: string;
  readonly certificate?: string;
}

export interface ControlClient {
  root(): Promise<string>;
  enrol(input: { token: string; csr: string; public_key?: string }): Promise<Enrolled>;
  /** Undefined while the state is the one that the agent has. */
  state(have: string | undefined, signal: AbortSignal): Promise<DesiredState | undefined>;
  report(report: object): Promise<void>;
  renew(csr: string): Promise<Omit<Enrolled, 'peer_id'>>;
  close(): void;
}

export interface Enrolled {
  readonly peer_id: string;
  readonly certificate: string;
  readonly expires_at: number;
}

const TIME_LIMIT_MS = 40_000;
const MOST_BYTES = 8 * 1024 * 1024;

/** The agent's side of the conversation. Without an identity only the root can be asked for, and nothing is trusted. */
export function createControlClient(control: string, identity: Identity | undefined): ControlClient {
  const agent = new Agent({
    keepAlive: true,
    minVersion: 'TLSv1.3',
    ...(identity === undefined ? { rejectUnauthorized: false } : { ca: identity.ca }),
    ...(identity?.key !== undefined && { key: identity.key, cert: identity.certificate }),
  });
  const ask = (
    method: string,
    path: string,
    body?: object,
    signal?: AbortSignal,
  ): Promise<{ status: number; text: string }> =>
    new Promise((resolve, reject) => {
      const fail = (error: unknown) =>
        reject(
          new Fault(
            {
              code: 'control_away',
              detail: `${control} does not answer: ${errorText(error)}`,
              party: 'network',
              retry: 'backoff',
            },
            error,
          ),
        );
      const payload = body === undefined ? undefined : JSON.stringify(body);
      const headers =
        payload === undefined
          ? {}
          : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) };
      const limit = AbortSignal.any([AbortSignal.timeout(TIME_LIMIT_MS), ...(signal ? [signal] : [])]);
      const outgoing = request(new URL(path, control), { method, agent, headers, signal: limit }, (response) => {
        const parts: Buffer[] = [];
        let size = 0;
        response.on('data', (part: Buffer) => {
          size += part.length;
          if (size > MOST_BYTES) response.destroy(new Error('the answer is too long'));
          else parts.push(part);
        });
        response.on('error', fail);
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(parts).toString() }));
      });
      outgoing.on('error', fail);
      outgoing.end(payload);
    });
  const good = async (method: string, path: string, body?: object, signal?: AbortSignal) => {
    const answer = await ask(method, path, body, signal);
    if (answer.status < 400) return answer;
    throw refusal(control, answer);
  };
  return {
    root: async () => (await good('GET', '/agent/v1/root')).text,
    enrol: async (input) => JSON.parse((await good('POST', '/agent/v1/enrol', input)).text) as Enrolled,
    async state(have, signal) {
      const { status, text } = await good(
        'GET',
        `/agent/v1/state${have === undefined ? '' : `?have=${have}`}`,
        undefined,
        signal,
      );
      return status === 304 ? undefined : (JSON.parse(text) as DesiredState);
    },
    async report(report) {
      await good('POST', '/agent/v1/report', report);
    },
    renew: async (csr) => JSON.parse((await good('POST', '/agent/v1/renew', { csr })).text) as Enrolled,
    close: () => agent.destroy(),
  };
}

function refusal(control: string, { status, text }: { status: number; text: string }): Fault {
  let said: { code?: string; detail?: string; advice?: string } = {};
  try {
    said = JSON.parse(text) as typeof said;
  } catch {}
  return new Fault({
    code: said.code ?? 'control_refused',
    detail: said.detail ?? `${control} answered ${status}`,
    party: 'operator',
    retry: status >= 500 ? 'backoff' : 'never',
    ...(said.advice !== undefined && { advice: said.advice }),
  });
}
