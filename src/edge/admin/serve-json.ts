import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { errorText, faultOf, http, type Logger } from '../../base/index.ts';

export interface Answer {
  readonly status: number;
  /** JSON, or text as it is. */
  readonly body: unknown;
  readonly type?: string;
}

/** `GET /status` -> what answers it. */
export type Routes = Readonly<Record<string, () => Answer | Promise<Answer>>>;

/** A small server for operators, on a local port or a socket. Bodies are not read. */
export function serveRoutes(routes: Routes, log: Logger): Server {
  const server = http.createServer({ requestTimeout: 10_000 }, (request, response) => {
    answer(routes, request)
      .catch((error: unknown): Answer => {
        const { code, detail, advice } = faultOf(error).details;
        log.warn({ path: request.url }, `an operator's request failed: ${errorText(error)}`);
        return { status: 500, body: { error: { code, detail, advice } } };
      })
      .then((found) => write(response, found))
      .catch(() => response.destroy());
  });
  server.maxConnections = 100;
  return server;
}

async function answer(routes: Routes, request: IncomingMessage): Promise<Answer> {
  const path = (request.url ?? '/').split('?')[0];
  const method = request.method === 'HEAD' ? 'GET' : request.method;
  const key = `${method} ${path}`;
  const route = Object.hasOwn(routes, key) ? routes[key] : undefined;
  if (route !== undefined) return route();
  return { status: 404, body: { error: { code: 'not_found', detail: `there are ${Object.keys(routes).join(', ')}` } } };
}

function write(response: ServerResponse, { status, body, type }: Answer): void {
  const text = typeof body === 'string' ? body : `${JSON.stringify(body, null, 2)}\n`;
  const contentType = type ?? (typeof body === 'string' ? 'text/plain; charset=utf-8' : 'application/json');
  response.writeHead(status, { 'content-type': contentType, 'cache-control': 'no-store' });
  response.end(text);
}
