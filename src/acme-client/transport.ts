import { Agent } from 'undici';
import { errorText, Fault } from '../base/index.ts';

export interface AcmeResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

/** One HTTPS exchange with a CA, bounded in time and size. Throws a `Fault` of code `ca_unreachable`. */
export interface Transport {
  exchange(
    method: 'GET' | 'HEAD' | 'POST',
    url: string,
    options?: { body?: string; accept?: string; signal?: AbortSignal },
  ): Promise<AcmeResponse>;
  close(): Promise<void>;
}

export interface TransportOptions {
  /** PEM of the roots that the CA's HTTPS is checked with; the usual ones when absent. */
  readonly caPem?: string;
  /** `User-Agent`, which RFC 8555 §6.1 asks for. */
  readonly userAgent?: string;
  /** Milliseconds for one exchange. */
  readonly timeoutMs?: number;
}

// The longest answers are chains and directories, a few kilobytes each.
const MOST_BODY_BYTES = 1024 * 1024;
const CONNECT_MS = 10_000;

export function createTransport(options: TransportOptions = {}): Transport {
  const timeoutMs = options.timeoutMs ?? 30_000;
  const agent = new Agent({
    connect: { timeout: CONNECT_MS, ...(options.caPem !== undefined && { ca: options.caPem }) },
    connections: 8,
    // Within one order requests follow one another closely; between orders a connection is not worth keeping.
    keepAliveTimeout: 10_000,
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    maxHeaderSize: 64 * 1024,
  });
  const userAgent = options.userAgent ?? 'gatehouse (ACME client; RFC 8555)';
  return {
    async exchange(method, address, { body, accept, signal } = {}) {
      const url = parseHttpsUrl(address);
      const limit = AbortSignal.timeout(timeoutMs);
      try {
        const answer = await agent.request({
          origin: url.origin,
          path: url.pathname + url.search,
          method,
          body: body ?? null,
          headers: {
            'user-agent': userAgent,
            'accept-language': 'en',
            ...(accept !== undefined && { accept }),
            // RFC 8555 §6.2.
            ...(body !== undefined && { 'content-type': 'application/jose+json' }),
          },
          signal: signal === undefined ? limit : AbortSignal.any([signal, limit]),
        });
        return { status: answer.statusCode, headers: answer.headers, body: await readBounded(answer.body) };
      } catch (error) {
        if (signal?.aborted === true) throw signal.reason;
        if (error instanceof Fault) throw error;
        throw unreachable(url, limit.aborted ? `no answer within ${timeoutMs / 1000} s` : errorText(error), error);
      }
    },
    close: () => agent.destroy(),
  };
}

async function readBounded(body: AsyncIterable<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of body) {
    length += part.length;
    if (length > MOST_BODY_BYTES)
      throw new Fault({
        code: 'ca_answer_too_large',
        detail: `the CA's answer is larger than ${MOST_BODY_BYTES} bytes`,
        party: 'ca',
        retry: 'backoff',
      });
    parts.push(part);
  }
  return Buffer.concat(parts);
}

/** RFC 8555 §6.1: HTTPS only. Also guards against a directory that names something else. */
function parseHttpsUrl(address: string): URL {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url?.protocol === 'https:') return url;
  throw new Fault({
    code: 'invalid_acme_url',
    detail: `${JSON.stringify(address.slice(0, 200))} is no HTTPS URL, and ACME is spoken over HTTPS only (RFC 8555 §6.1)`,
    party: 'ca',
    retry: 'backoff',
  });
}

function unreachable(url: URL, why: string, cause: unknown): Fault {
  const distrusted = /self.signed|unable to (get|verify)|certificate/i.test(why);
  return new Fault(
    {
      code: 'ca_unreachable',
      detail: `${url.origin} cannot be reached: ${why}`,
      party: distrusted ? 'operator' : 'network',
      retry: 'backoff',
      advice: distrusted
        ? "give the PEM file of the root that the CA's own HTTPS uses as the issuer's ca_file, and check this machine's clock"
        : 'check that this machine may open HTTPS connections to that address; it is tried again by itself',
    },
    cause,
  );
}
