import type { IncomingMessage, RequestListener } from 'node:http';
import { request as httpsRequest, type RequestOptions } from 'node:https';
import type { ChallengeType, ProblemDocument } from '../acme/index.ts';
import { type Clock, errorText, type Logger } from '../base/index.ts';
import { readBody } from './http.ts';
import type { Perspective } from './perspectives.ts';
import { parseProfileSettings } from './profile.ts';
import { Refusal, refusalOf } from './refusal.ts';
import { requireCaa } from './validators/caa.ts';
import { VALIDATORS } from './validators/index.ts';
import type { ValidationTask } from './validators/validator.ts';

const CHECK_PATH = '/acme/perspective/check';
const IDENTITY_PATH = '/acme/perspective/identity';
const HAND_OVER_MS = 30_000;
const MOST_AT_ONCE = 128;
const MOST_ANSWER = 16 * 1024;

interface Options {
  readonly clock: Clock;
  readonly log: Logger;
  /** DNS servers of this place, instead of those that the asker names. */
  readonly resolvers: readonly string[];
  /** Takes the next identity from the asker; throws, with the old one kept, when it is none. */
  readonly takeIdentity: (offered: unknown) => void;
}

/** Another perspective, which can also be given the certificates of its next year. */
export interface RemotePerspective extends Perspective {
  /** Rejects when it cannot be reached, and when it refuses. */
  handOver(identity: object): Promise<void>;
}

/** Answers what this place of the network sees. Whoever listens has checked that the asker may ask. */
export function createPerspectiveHandler({ clock, log, resolvers, takeIdentity }: Options): RequestListener {
  let underWay = 0;
  return (request, response) => {
    const end = (status: number, body: object) => {
      response.writeHead(status, { 'Content-Type': 'application/json' });
      response.end(JSON.stringify(body));
    };
    if (request.method !== 'POST') return end(404, {});
    if (request.url === IDENTITY_PATH) {
      take(request)
        .then(() => end(200, {}))
        .catch((error: unknown) => {
          log.warn({ err: error }, 'what the ACME server gave as the next identity was refused; the old one stays');
          end(409, { detail: errorText(error) });
        });
      return;
    }
    if (request.url !== CHECK_PATH) return end(404, {});
    if (underWay >= MOST_AT_ONCE) return end(503, {});
    underWay++;
    look(request)
      .then((problem) => end(200, problem === undefined ? {} : { problem }))
      .catch((error: unknown) => {
        log.warn({ err: error }, 'a question of the ACME server could not be answered');
        end(400, {});
      })
      .finally(() => underWay--);
  };

  async function take(request: IncomingMessage): Promise<void> {
    takeIdentity(JSON.parse((await readBody(request)).toString()));
  }

  async function look(request: IncomingMessage): Promise<ProblemDocument | undefined> {
    const task = parseTask(await readBody(request), clock.now(), resolvers);
    const signal = AbortSignal.timeout(task.policy.timeout_seconds * 1000);
    try {
      await VALIDATORS[task.type](task, signal);
      await requireCaa({ ...task, method: task.type }, signal);
      return undefined;
    } catch (error) {
      const late = signal.aborted && !(error instanceof Refusal);
      return (late ? new Refusal('connection', 'no result in time') : refusalOf(error)).problem;
    }
  }
}

/** Bounds and defaults are those of a profile; everything else is text for the validators, which trust none of it. */
function parseTask(body: Buffer, now: number, resolvers: readonly string[]): ValidationTask {
  const input = JSON.parse(body.toString()) as Partial<Record<keyof ValidationTask, unknown>>;
  const { type, identifier, wildcard, token, thumbprint, accountUrl, policy } = input;
  const { validation } = parseProfileSettings({ validation: policy });
  const isText = (value: unknown): value is string => typeof value === 'string' && value.length <= 1000;
  const { type: kind, value } = (identifier ?? {}) as Record<string, unknown>;
  const known = typeof type === 'string' && Object.hasOwn(VALIDATORS, type);
  if (!known || !isText(value) || (kind !== 'dns' && kind !== 'ip') || !isText(thumbprint) || !isText(accountUrl))
    throw new Refusal('malformed', 'this is no task for a validator');
  return {
    type: type as ChallengeType,
    identifier: { type: kind, value },
    wildcard: wildcard === true,
    token: isText(token) ? token : '',
    thumbprint,
    accountUrl,
    policy: resolvers.length > 0 ? { ...validation, resolvers: [...resolvers] } : validation,
    now,
  };
}

/** A perspective behind HTTPS; `tls` holds the identity to show now, and by what the other side is known. */
export function createRemotePerspective(name: string, origin: string, tls: () => RequestOptions): RemotePerspective {
  const ask = (path: string, question: object, signal: AbortSignal) =>
    new Promise<Readonly<Record<string, unknown>>>((resolve, reject) => {
      const body = JSON.stringify(question);
      const headers = { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) };
      const options = { ...tls(), method: 'POST', headers, signal, agent: false as const };
      const request = httpsRequest(new URL(path, origin), options, (response) => {
        readAnswer(response).then(resolve, reject);
      });
      request.once('error', reject);
      request.end(body);
    });
  return {
    name,
    async check(task, signal) {
      const question = { ...task, policy: { ...task.policy, perspectives_quorum: 0 } };
      const { problem } = (await ask(CHECK_PATH, question, signal)) as { problem?: ProblemDocument };
      if (problem === undefined) return undefined;
      return { type: String(problem.type).slice(0, 100), detail: String(problem.detail).slice(0, 500) };
    },
    async handOver(identity) {
      await ask(IDENTITY_PATH, identity, AbortSignal.timeout(HAND_OVER_MS));
    },
  };
}

async function readAnswer(response: IncomingMessage): Promise<Readonly<Record<string, unknown>>> {
  let text = '';
  for await (const chunk of response) {
    text += String(chunk);
    if (text.length > MOST_ANSWER) throw new Error('it answers too much');
  }
  if (response.statusCode !== 200) throw new Error(`it answers ${response.statusCode} ${text.slice(0, 500)}`.trim());
  const answer: unknown = JSON.parse(text);
  if (typeof answer !== 'object' || answer === null) throw new Error('it answers no object');
  return answer as Readonly<Record<string, unknown>>;
}
