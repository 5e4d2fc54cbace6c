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

/** HTTP to a DNS provider's API: bounded in size and time, with every failure as a `Fault` of party `dns-provider`. */
export type ProviderHttp = (url: string, call: ProviderCall) => Promise<ProviderAnswer>;

const CALL_MS = 30_000;
const LARGEST_ANSWER = 8 * 1024 * 1024;

export function createProviderHttp(
  provider: string,
  options: { clock: Clock; dispatcher?: Dispatcher; words?: (json: unknown) => string | undefined },
): ProviderHttp {
  return async (url, { method = 'GET', headers = {}, body, signal, accept = [] }) => {
    const json = typeof body === 'object';
    let answer: Dispatcher.ResponseData;
    let text: string;
    try {
      answer = await request(url, {
        method,
        headers: {
          'user-agent': 'gatehouse',
          accept: 'application/json',
          ...(json && { 'content-type': 'application/json' }),
          ...headers,
        },
        body: json ? JSON.stringify(body) : body,
        signal: AbortSignal.any([signal, AbortSignal.timeout(CALL_MS)]),
        dispatcher: options.dispatcher,
      });
      text = await boundedText(answer.body);
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
    const parsed = parse(text);
    const { statusCode } = answer;
    if ((statusCode >= 200 && statusCode < 300) || accept.includes(statusCode))
      return { status: statusCode, text, json: parsed };
    const words = options.words?.(parsed) ?? commonWords(parsed);
    throw refusal(provider, statusCode, words, retryOf(statusCode, answer.headers['retry-after'], options.clock));
  };
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
  return new Fault({ ...details, code: 'dns_provider_refused', detail: `${provider} answered HTTP ${status}${said}` });
}
