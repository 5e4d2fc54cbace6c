import type { FastifyReply, FastifyRequest } from 'fastify';

export interface StreamEvent {
  readonly id: string | number;
  readonly event: string;
  readonly data: unknown;
}

const KEEP_ALIVE_MS = 15_000;

export const wantsStream = (request: FastifyRequest): boolean =>
  /\btext\/event-stream\b/.test(request.headers.accept ?? '');

/**
 * Answers with server-sent events (HTML standard §9.2) until the source ends or the client leaves. A comment goes out
 * now and then, so that proxies between do not take silence for death.
 */
export async function sendStream(
  request: FastifyRequest,
  reply: FastifyReply,
  source: (signal: AbortSignal) => AsyncIterable<StreamEvent>,
): Promise<void> {
  const left = new AbortController();
  reply.hijack();
  const { raw } = reply;
  raw.once('close', () => left.abort());
  raw.writeHead(200, {
    'content-type': 'text/event-stream',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
    connection: 'keep-alive',
  });
  raw.write(': hello\n\n');
  const keepAlive = setInterval(() => raw.write(': still here\n\n'), KEEP_ALIVE_MS);
  try {
    for await (const { id, event, data } of source(left.signal)) {
      const room = raw.write(`id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
      // A client that does not read is not buffered for without end.
      if (!room && !left.signal.aborted)
        await new Promise<void>((resolve) => {
          raw.once('drain', resolve);
          raw.once('close', resolve);
        });
    }
  } catch (error) {
    if (!left.signal.aborted) request.log.warn({ err: error }, 'an event stream ended early');
  } finally {
    clearInterval(keepAlive);
    raw.end();
  }
}
