import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance } from 'fastify';

const DIST = fileURLToPath(new URL('../../web/dist', import.meta.url));

// No inline script, nothing from elsewhere, no framing: a page of ours can do nothing but call our API. Styles that
// positioned widgets set on elements are the one inline thing.
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self'",
  "font-src 'self'",
  "connect-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');

const HEADERS = {
  'content-security-policy': POLICY,
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'cross-origin-opener-policy': 'same-origin',
};

/** Serves the console's files; every place below `/app` is the same page. Says how to build it when it is not there. */
export async function serveConsole(server: FastifyInstance): Promise<void> {
  if (!existsSync(join(DIST, 'index.html'))) {
    server.get('/app', { schema: { hide: true } }, (_request, reply) =>
      reply.type('text/plain').send('The console is not built. In the checkout: npm run console:build\n'),
    );
    return;
  }
  const page = readFileSync(join(DIST, 'index.html'));
  await server.register(fastifyStatic, {
    root: DIST,
    index: false,
    wildcard: false,
    schemaHide: true,
    // Names of assets carry a digest of their content.
    setHeaders: (reply, path) => {
      reply
        .headers(HEADERS)
        .header('cache-control', path.includes('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache');
    },
  });
  for (const url of ['/app', '/app/*'])
    server.get(url, { schema: { hide: true } }, (_request, reply) =>
      reply.headers(HEADERS).header('cache-control', 'no-cache').type('text/html; charset=utf-8').send(page),
    );
  server.get('/', { schema: { hide: true } }, (_request, reply) => reply.redirect('/app'));
}
