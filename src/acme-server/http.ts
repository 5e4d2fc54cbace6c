import type { IncomingMessage, ServerResponse } from 'node:http';
import { Refusal } from './refusal.ts';

/** What a resource answers. */
export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** JSON when not a string or bytes. */
  readonly body?: unknown;
}

const MOST_BODY = 96 * 1024;

/** The whole body, at most 96 KiB. Throws `malformed` with status 413 beyond that. */
export function readBody(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    request.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length > MOST_BODY) {
        request.removeAllListeners('data').resume();
        reject(
          new Refusal('malformed', 'the request body is larger than 96 KiB', {
            status: 413,
            headers: { Connection: 'close' },
          }),
        );
      } else chunks.push(chunk);
    });
    request.on('end', () => resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)));
    request.on('error', reject);
    request.on('close', () => {
      if (!request.complete) reject(new Refusal('malformed', 'the request was cut off'));
    });
  });
}

/** Parses `application/jose+json` (RFC 8555 §6.2). */
export async function readJoseJson(request: IncomingMessage): Promise<unknown> {
  const type = request.headers['content-type']?.split(';')[0]?.trim().toLowerCase();
  if (type !== 'application/jose+json')
    throw new Refusal('malformed', 'the content type must be application/jose+json', { status: 415 });
  const body = await readBody(request);
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    throw new Refusal('malformed', 'the request body is not JSON');
  }
}

export function send(
  response: ServerResponse,
  answer: Answer,
  headers: Readonly<Record<string, string | readonly string[]>>,
  withBody: boolean,
): void {
  const { body } = answer;
  const isProblem = typeof body === 'object' && body !== null && answer.status >= 400;
  const content =
    body === undefined ? '' : typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
  const all: Record<string, string | readonly string[]> = {
    ...headers,
    'Content-Type': isProblem ? 'application/problem+json' : 'application/json',
    ...answer.headers,
    'Content-Length': String(Buffer.byteLength(content)),
  };
  if (body === undefined) delete all['Content-Type'];
  response.writeHead(answer.status, all as Record<string, string | string[]>);
  response.end(withBody ? content : undefined);
}
