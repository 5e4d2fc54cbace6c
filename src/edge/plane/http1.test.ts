import assert from 'node:assert/strict';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { TestContext } from 'node:test';
import { eachEngine, talk } from '../../../test/fixtures/edge-plane.ts';
import type { Route } from '../../picture/index.ts';

async function upstream(t: TestContext, listener: RequestListener): Promise<{ url: string; server: Server }> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as { port: number }).port}`, server };
}
const site = (url: string, more: Partial<Route> = {}): Route => ({
  id: 'r1',
  host: 'shop.example.com',
  path: '/',
  upstreams: [{ url }],
  ...more,
});
const bodyOf = (answer: string) => answer.slice(answer.indexOf('\r\n\r\n') + 4);

eachEngine(
  'a request goes through with its fields, and with what the edge says of the client',
  async (t, startPlane) => {
    const { url } = await upstream(t, (request, response) => {
      response.setHeader('connection', 'close');
      response.end(JSON.stringify({ url: request.url, method: request.method, ...request.headers }));
    });
    const { port } = await startPlane(t, { routes: [site(url)] });
    const answer = await talk(
      port,
      'GET /a?b=c HTTP/1.1\r\nHost: shop.example.com\r\nX-Own: kept\r\nX-Forwarded-For: 6.6.6.6\r\nX_Real_IP: 6.6.6.6\r\n' +
        'Forwarded: for=6.6.6.6\r\nTE: gzip\r\nKeep-Alive: 5\r\nX-Hop: 1\r\nConnection: close, X-Hop\r\n\r\n',
    );
    assert.match(answer, /^HTTP\/1\.1 200 OK\r\n/);
    assert.match(answer, /connection: close\r\n/i);
    const seen = JSON.parse(bodyOf(answer)) as Record<string, string>;
    assert.equal(seen.url, '/a?b=c');
    assert.equal(seen.host, 'shop.example.com');
    assert.equal(seen['x-own'], 'kept');
    assert.equal(seen['x-forwarded-for'], '127.0.0.1');
    assert.equal(seen['x-real-ip'], '127.0.0.1');
    assert.equal(seen.x_real_ip, undefined);
    assert.equal(seen.forwarded, 'for=127.0.0.1;host="shop.example.com";proto=http');
    assert.match(seen['x-request-id']!, /^[0-9a-f]{32}$/);
    for (const gone of ['te', 'x-hop', 'keep-alive']) assert.equal(seen[gone], undefined);
  },
);

eachEngine('bodies pass in both framings, and connections are kept on both sides', async (t, startPlane) => {
  const sockets = new Set<unknown>();
  const { url } = await upstream(t, (request, response) => {
    sockets.add(request.socket);
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      const body = Buffer.concat(pieces);
      if (request.url === '/length') response.setHeader('content-length', body.length);
      response.write(body);
      response.end();
    });
  });
  const { port } = await startPlane(t, { routes: [site(url)] });
  const head = (path: string, field: string) => `POST ${path} HTTP/1.1\r\nHost: shop.example.com\r\n${field}\r\n\r\n`;
  const answer = await talk(
    port,
    `${head('/length', 'Content-Length: 5')}hello${head('/chunked', 'Transfer-Encoding: chunked')}3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\n\r\n` +
      `${head('/last', 'Content-Length: 3\r\nConnection: close')}end`,
  );
  const answers = answer.split(/(?=HTTP\/1\.1 )/);
  assert.equal(answers.length, 3);
  assert.equal(bodyOf(answers[0]!), 'hello');
  assert.equal(bodyOf(answers[1]!), '7\r\nabcdefg\r\n0\r\n\r\n');
  assert.equal(bodyOf(answers[2]!), '3\r\nend\r\n0\r\n\r\n');
  assert.equal(sockets.size, 1);
});

eachEngine('an upgrade becomes a tunnel', async (t, startPlane) => {
  const { url, server } = await upstream(t, (_, response) => response.end());
  server.on('upgrade', (request, socket) => {
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${request.headers.upgrade}\r\n\r\nhi `,
    );
    socket.on('data', (piece) => socket.write(piece));
    socket.on('end', () => socket.end());
  });
  const { port } = await startPlane(t, { routes: [site(url)] });
  const answer = await talk(
    port,
    'GET / HTTP/1.1\r\nHost: shop.example.com\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nthere',
    (text) => text.endsWith('hi there'),
  );
  assert.match(answer, /^HTTP\/1\.1 101 /);
  assert.match(answer, /upgrade: echo\r\n/);
});

eachEngine(
  'the plain listener redirects to a site that ends TLS itself, and no other sends requests there',
  async (t, startPlane) => {
    const passthrough = site('http://127.0.0.1:1', { tls: 'passthrough', plain: 'serve' });
    const wild = site('http://127.0.0.1:1', {
      id: 'r2',
      host: '*.example.com',
      redirect: { to: 'https://wrong' },
      upstreams: [],
    });
    const ask = async (info: object) => {
      const { port } = await startPlane(t, { routes: [passthrough, wild], info });
      return talk(port, 'GET /x HTTP/1.1\r\nHost: shop.example.com\r\nConnection: close\r\n\r\n');
    };
    const plain = { httpsPort: 8443, challenge: () => undefined };
    const redirected = await ask({ listener: { id: 'test', plain } });
    assert.match(redirected, /^HTTP\/1\.1 308 [\s\S]*location: https:\/\/shop\.example\.com:8443\/x\r\n/);
    assert.match(await ask({ secure: true, serverName: 'other.example.com' }), /^HTTP\/1\.1 421 /);
  },
);

eachEngine('what cannot be forwarded is answered by the edge', async (t, startPlane) => {
  const { url } = await upstream(t, (_, response) => response.end('ok'));
  const { port } = await startPlane(t, {
    routes: [
      site(url, { limits: { bodyBytes: 10 } }),
      site(url, { id: 'r2', path: '/admin' }),
      site(url, { id: 'r3', host: 'old.example.com', redirect: { to: 'https://new.example.com' }, upstreams: [] }),
      site('http://127.0.0.1:1', { id: 'r4', host: 'down.example.com' }),
    ],
  });
  const ask = (head: string) => talk(port, `${head}\r\nConnection: close\r\n\r\n`);
  assert.match(await ask('GET / HTTP/1.1\r\nHost: other.example.com'), /^HTTP\/1\.1 403 [\s\S]*no site was published/);
  assert.match(
    await ask('GET /x?y HTTP/1.1\r\nHost: old.example.com'),
    /location: https:\/\/new\.example\.com\/x\?y\r\n/,
  );
  assert.match(await ask('POST / HTTP/1.1\r\nHost: shop.example.com\r\nContent-Length: 11'), /^HTTP\/1\.1 413 /);
  assert.match(await ask('GET /x/../admin HTTP/1.1\r\nHost: shop.example.com'), /^HTTP\/1\.1 400 /);
  assert.match(await ask('GET / HTTP/1.1\r\nHost: down.example.com'), /^HTTP\/1\.1 502 /);
  assert.match(await ask('TRACE / HTTP/1.1\r\nHost: shop.example.com'), /^HTTP\/1\.1 405 /);
  assert.match(await ask('CONNECT shop.example.com:443 HTTP/1.1\r\nHost: shop.example.com:443'), /^HTTP\/1\.1 405 /);
  assert.match(await ask('GET / HTTP/1.1\r\nHost : shop.example.com'), /^HTTP\/1\.1 400 /);
});
