import { type Dispatcher, request } from 'undici';
import { type Clock, errorText, Fault, type Retry } from '../../base/index.ts';

export interface ProviderCall {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON, unless it is text. */
  readonly body?: object | string;
  readonly signal: AbortSignal;
  /** Statuses besides 2xx that the caller makes sense of; others are faults. */
  readonly accept?: readonly number[];
}

export interface ProviderAnswer {
  readonly status: number;
  readonly text: string;
  /** Parsed; undefined where the body is not JSON. */
  readonly json: unknown;
}

/**
 * HTTP to a DNS provider's API: bounded in size and time, with every failure as a `Fault` of party `dns-provider`. What
 * fails in passing (5xx, a broken connection) is tried again at once, except a POST, which may have been carried out.
 */
export type ProviderHttp = (url: string, call: ProviderCall) => Promise<ProviderAnswer>;

const CALL_MS = 30_000;
const LARGEST_ANSWER = 8 * 1024 * 1024;

export function createProviderHttp(provider: string, options: { clock: Clock; dispatcher?: Dispatcher }): ProviderHttp {
  const once = async (url: string, call: ProviderCall): Promise<ProviderAnswer> => {
    const { signal, accept = [] } = call;
    const { answer, text } = await send(provider, url, call, options.dispatcher);
    const json = parse(text);
    const { statusCode: status } = answer;
    if ((status >= 200 && status < 300) || accept.includes(status)) return { status, text, json };
    signal.throwIfAborted();
    const retry = retryOf(status, answer.headers['retry-after'], options.clock);
    throw refusal(provider, status, commonWords(json), retry);
  };
  return async (url, call) => {
    for (let attempt = 1; ; attempt++) {
      try {
        return await once(url, call);
      } catch (error) {
        call.signal.throwIfAborted();
        const passing = error instanceof Fault && PASSING.has(error.code) && call.method !== 'POST';
        if (!passing || attempt >= ATTEMPTS) throw error;
        await options.clock.sleep(200 * 2 ** attempt * (0.5 + Math.random()), call.signal);
      }
    }
  };
}

const ATTEMPTS = 4;
const PASSING = new Set(['dns_provider_unreachable', 'dns_provider_broken']);

async function send(
  provider: string,
  url: string,
  { method = 'GET', headers = {}, body, signal }: ProviderCall,
  dispatcher: Dispatcher | undefined,
): Promise<{ answer: Dispatcher.ResponseData; text: string }> {
  const json = typeof body === 'object';
  try {
    const answer = await request(url, {
      method,
      headers: {
        'user-agent': 'gatehouse',
        accept: 'application/json',
        ...(json && { 'content-type': 'application/json' }),
        ...headers,
      },
      body: json ? JSON.stringify(body) : body,
      signal: AbortSignal.any([signal, AbortSignal.timeout(CALL_MS)]),
      dispatcher,
    });
    return { answer, text: await boundedText(answer.body) };
  } catch (error) {
    signal.throwIfAborted();
    throw new Fault(
      {
        code: 'dns_provider_unreachable',
        detail: `${provider}'s API could not be asked: ${errorText(error)}`,
        party: 'dns-provider',
        retry: 'backoff',
      },
      error,
    );
  }
}

async function boundedText(body: Dispatcher.ResponseData['body']): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > LARGEST_ANSWER) throw new Error(`the answer is larger than ${LARGEST_ANSWER} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Where most APIs put their words: `message`, `error`, `error.message`, `errors[].message`. */
function commonWords(json: unknown): string | undefined {
  if (typeof json !== 'object' || json === null) return undefined;
  const { message, error, errors } = json as { message?: unknown; error?: unknown; errors?: unknown };
  if (typeof message === 'string') return message;
  if (typeof error === 'string') return error;
  if (typeof error === 'object') return commonWords(error);
  if (Array.isArray(errors))
    return errors.flatMap((one) => commonWords(one) ?? (typeof one === 'string' ? one : [])).join('; ') || undefined;
  return undefined;
}

function retryOf(status: number, after: string | string[] | undefined, clock: Clock): Retry {
  const seconds = Number(after);
  if (Number.isFinite(seconds) && seconds >= 0 && seconds <= 86_400) return { notBefore: clock.now() + seconds * 1000 };
  return status === 429 || status >= 500 || status === 409 ? 'backoff' : 'never';
}

function refusal(provider: string, status: number, words: string | undefined, retry: Retry): Fault {
  const said = words === undefined ? '' : `: ${words.replace(/[\p{Cc}]/gu, ' ').slice(0, 400)}`;
  const details = { party: 'dns-provider', retry } as const;
  if (status === 401 || status === 403)
    return new Fault({
      ...details,
      code: 'dns_credential_refused',
      detail: `${provider} refuses the credential (HTTP ${status})${said}`,
      advice: 'check that the token has not expired and may list zones and change records, then validate it again',
    });
  if (status === 429)
    return new Fault({
      ...details,
      code: 'dns_provider_limit',
      detail: `${provider} asks for patience (HTTP 429)${said}`,
    });
  const code = status >= 500 ? 'dns_provider_broken' : 'dns_provider_refused';
  return new Fault({ ...details, code, detail: `${provider} answered HTTP ${status}${said}` });
}
