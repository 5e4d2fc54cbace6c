import { type CliFile, errorText } from '../base/index.ts';
import { CommandFailure, EXIT } from './failure.ts';

export interface StreamedEvent {
  readonly event: string;
  readonly data: unknown;
}

export interface Client {
  readonly api: string;
  /** The answer's `data`. Throws a `CommandFailure` with the problem's words. */
  call<T>(method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, body?: unknown): Promise<T>;
  /** Sends text of another type than JSON; the answer's `data`. */
  send<T>(path: string, contentType: string, body: string): Promise<T>;
  /** Every row of a paged list, up to `most`. */
  list<T>(path: string, most?: number): Promise<T[]>;
  text(path: string): Promise<string>;
  /** The body as it comes, for long answers. */
  body(path: string): AsyncIterable<Uint8Array>;
  stream(path: string, signal: AbortSignal): AsyncGenerator<StreamedEvent>;
}

interface ProblemBody {
  readonly detail?: string;
  readonly advice?: string;
  readonly field?: string;
  readonly errors?: readonly { readonly detail: string; readonly advice?: string }[];
}

export function createClient({ api, token }: CliFile): Client {
  const ask = async (method: string, path: string, init: RequestInit = {}): Promise<Response> => {
    const headers = { authorization: `Bearer ${token}`, ...(init.headers as Record<string, string>) };
    const response = await fetch(`${api}/api/v1${path}`, { ...init, method, headers, redirect: 'error' }).catch(
      (error) => {
        if (init.signal?.aborted) throw error;
        throw new CommandFailure(`${api} does not answer: ${errorText(error)}`, {
          exitCode: EXIT.unreachable,
          advice: 'is "gatehouse up" running? Another server is named with --api-url',
        });
      },
    );
    if (!response.ok) throw await failureOf(response, api);
    return response;
  };
  return {
    api,
    async call(method, path, body) {
      const init =
        body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
      const response = await ask(method, path, init);
      if (response.status === 204) return undefined as never;
      return ((await response.json()) as { data: never }).data;
    },
    async send(path, contentType, body) {
      const response = await ask('POST', path, { body, headers: { 'content-type': contentType } });
      return ((await response.json()) as { data: never }).data;
    },
    async list<T>(path: string, most = 100_000) {
      const all: T[] = [];
      for (let cursor: string | null = ''; cursor !== null && all.length < most; ) {
        const query: string = `${path}${path.includes('?') ? '&' : '?'}limit=${Math.min(500, most)}${cursor && `&cursor=${cursor}`}`;
        const response = await ask('GET', query);
        const answer = (await response.json()) as { data: T[]; page?: { next_cursor: string | null } };
        all.push(...answer.data);
        cursor = answer.page?.next_cursor ?? null;
      }
      return all.slice(0, most);
    },
    text: async (path) => (await ask('GET', path)).text(),
    async *body(path) {
      const response = await ask('GET', path);
      if (response.body !== null) yield* response.body;
    },
    async *stream(path, signal) {
      const response = await ask('GET', path, { headers: { accept: 'text/event-stream' }, signal });
      if (response.body !== null) yield* parseStream(response.body.pipeThrough(new TextDecoderStream()));
    },
  };
}

/** HTML standard §9.2.6, as far as our server uses it: `event` and one line of `data`. */
async function* parseStream(chunks: AsyncIterable<string>): AsyncGenerator<StreamedEvent> {
  let rest = '';
  for await (const chunk of chunks) {
    rest += chunk;
    for (let end = rest.indexOf('\n\n'); end >= 0; end = rest.indexOf('\n\n')) {
      const block = rest.slice(0, end);
      rest = rest.slice(end + 2);
      const field = (name: string) =>
        block
          .split('\n')
          .find((line) => line.startsWith(`${name}: `))
          ?.slice(name.length + 2);
      const data = field('data');
      if (data !== undefined) yield { event: field('event') ?? 'message', data: JSON.parse(data) };
    }
  }
}

async function failureOf(response: Response, api: string): Promise<CommandFailure> {
  const text = await response.text();
  let problem: ProblemBody = {};
  try {
    problem = JSON.parse(text) as ProblemBody;
  } catch {}
  const detail = problem.detail ?? `${api} answered ${response.status} and no problem document; is it Gatehouse?`;
  const field = problem.field === undefined || detail.includes(problem.field) ? '' : `${problem.field}: `;
  const all = problem.errors ?? [];
  const each = all.map(({ detail, advice }) => `\n  - ${detail}${advice === undefined ? '' : ` (${advice})`}`);
  const words = all.length > 1 ? `${all.length} inputs are wrong:${each.join('')}` : `${field}${detail}`;
  return new CommandFailure(words, {
    exitCode: response.status === 401 || response.status === 403 ? EXIT.notAllowed : EXIT.failed,
    ...(problem.advice !== undefined && { advice: problem.advice }),
    problem,
  });
}
