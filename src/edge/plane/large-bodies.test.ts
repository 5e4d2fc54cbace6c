import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { createServer, request as httpRequest, type RequestListener } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { TestContext } from 'node:test';
import { eachEngine } from '../../../test/fixtures/edge-plane.ts';
import type { Route } from '../../picture/index.ts';

async function upstream(t: TestContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as { port: number }).port}`;
}
const site = (url: string): Route => ({ id: 'r1', host: 'shop.example.com', path: '/', upstreams: [{ url }] });

for (const tls of [false, true]) {
  eachEngine(
    `large answers and uploads pass octet for octet, with a slow reader${tls ? ', over TLS' : ''}`,
    async (t, startPlane) => {
      const block = randomBytes(3 * 1024 * 1024);
      const digest = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
      const url = await upstream(t, async (request, response) => {
        const pieces: Buffer[] = [];
        for await (const piece of request) pieces.push(piece as Buffer);
        response.setHeader('x-digest', digest(Buffer.concat(pieces)));
        if (request.url === '/chunked') response.write(block);
        else response.setHeader('content-length', block.length);
        response.end(request.url === '/chunked' ? undefined : block);
      });
      const { port } = await startPlane(t, { routes: [site(url)], tls });
      const options = { host: '127.0.0.1', port, method: 'POST', rejectUnauthorized: false, agent: false } as const;
      const host = 'shop.example.com';
      const exchange = (path: string, framing: Record<string, string>) =>
        new Promise<void>((resolve, reject) => {
          const request = (tls ? httpsRequest : httpRequest)({ ...options, path, headers: { host, ...framing } });
          request.on('error', reject);
          request.on('response', (response) => {
            const pieces: Buffer[] = [];
            // A reader that stops at every piece lets the proxy's buffers fill.
            response.on('data', (piece: Buffer) => {
              pieces.push(piece);
              response.pause();
              setImmediate(() => response.resume());
            });
            response.on('end', () => {
              assert.equal(response.headers['x-digest'], digest(block));
              assert.equal(digest(Buffer.concat(pieces)), digest(block));
              resolve();
            });
          });
          request.end(block);
        });
      const whole = { 'content-length': String(block.length) };
      await Promise.all([
        exchange('/', whole),
        exchange('/chunked', { 'transfer-encoding': 'chunked' }),
        exchange('/', whole),
      ]);
    },
  );
}

eachEngine('an upload that is refused is not read to its end', async (t, startPlane) => {
  const { port } = await startPlane(t, { routes: [] });
  const answer = await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body: randomBytes(1024 * 1024) });
  assert.equal(answer.status, 403);
});
