import assert from 'node:assert/strict';
import { createServer, type RequestListener } from 'node:http';
import { createSecureServer } from 'node:http2';
import { createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createTestAuthority } from '../../../test/fixtures/certificate.ts';
import { startPlane, talk } from '../../../test/fixtures/edge-plane.ts';
import { temporaryDirectory } from '../../../test/fixtures/temporary.ts';
import { until } from '../../../test/fixtures/until.ts';
import type { Route, Upstream } from '../../picture/index.ts';
import { parseProxyHeader } from '../listen/proxy-protocol.ts';

const HOST = 'shop.example.com';
const route = (upstreams: readonly Upstream[], more: Partial<Route> = {}): Route => ({
  id: 'r1',
  host: HOST,
  path: '/',
  upstreams,
  ...more,
});
const get = (more = '') => `GET / HTTP/1.1\r\nHost: ${HOST}\r\n${more}\r\n`;
const last = get('Connection: close\r\n');

async function listen(t: TestContext, server: Server, where: string | number = 0) {
  await new Promise<void>((resolve) => {
    if (typeof where === 'string') server.listen(where, resolve);
    else server.listen(where, '127.0.0.1', resolve);
  });
  t.after(() => void server.close());
  const address = server.address();
  return typeof address === 'string' ? 0 : (address?.port ?? 0);
}

async function named(t: TestContext, name: string, listener?: RequestListener): Promise<string> {
  const server = createServer(listener ?? ((_, response) => response.end(`by ${name};`)));
  t.after(() => server.closeAllConnections());
  return `http://127.0.0.1:${await listen(t, server)}`;
}

for (const version of ['v1', 'v2'] as const) {
  test(`PROXY ${version} tells an upstream who the client is, and no connection speaks for two`, async (t) => {
    const told: number[] = [];
    const server = createTcpServer((socket: Socket) => {
      let header: number | undefined;
      socket.on('error', () => {});
      socket.on('data', (bytes: Buffer) => {
        if (header === undefined) {
          const read = parseProxyHeader(bytes);
          assert.ok(read.status === 'complete' && read.source !== undefined);
          header = read.source.remotePort;
        }
        told.push(header);
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      });
    });
    const url = `http://127.0.0.1:${await listen(t, server)}`;
    const clients: number[] = [];
    const { port } = await startPlane(t, {
      routes: [route([{ url, proxyProtocol: version }])],
      observer: { request: ({ connection }) => clients.push(connection.remotePort) },
    });
    for (let client = 0; client < 3; client++) await talk(port, get() + last);
    assert.equal(new Set(clients).size, 3);
    assert.deepEqual(told, clients);
  });
}

test('a unix socket is an upstream', async (t) => {
  const path = join(temporaryDirectory(t), 'app.sock');
  const server = createServer((request, response) => response.end(`host ${request.headers.host}`));
  t.after(() => server.closeAllConnections());
  await listen(t, server, path);
  const { port } = await startPlane(t, { routes: [route([{ url: `unix:${path}` }])] });
  assert.match(await talk(port, last), /host shop\.example\.com/);
});

test('an https upstream is verified, with its own CA and name, over HTTP/2 and HTTP/1.1', async (t) => {
  const authority = createTestAuthority();
  const seen: unknown[] = [];
  const server = createSecureServer({ ...authority.issue(['inner.test']), allowHTTP1: true }, (request, response) => {
    const socket = request.stream?.session?.socket ?? request.socket;
    seen.push([(socket as unknown as { servername: string }).servername, request.httpVersion]);
    response.end('inside');
  });
  server.on('session', (session) => t.after(() => session.destroy()));
  server.on('tlsClientError', () => {});
  const url = `https://127.0.0.1:${await listen(t, server)}`;
  const verified = { serverName: 'inner.test', ca: authority.ca };
  const ask = async (tls: Upstream['tls']) => {
    const { port } = await startPlane(t, { routes: [route([{ url, tls }])] });
    return talk(port, last);
  };
  assert.match(await ask(verified), /200 OK[\s\S]*inside/);
  assert.match(await ask({ ...verified, http2: false }), /200 OK[\s\S]*inside/);
  assert.deepEqual(seen, [
    ['inner.test', '2.0'],
    ['inner.test', '1.1'],
  ]);
  assert.match(await ask({ serverName: 'inner.test' }), /^HTTP\/1\.1 502 /);
  assert.match(await ask({ ...verified, serverName: 'other.test' }), /^HTTP\/1\.1 502 /);
  assert.equal(seen.length, 2);
});

test('weights are shares, and 0 takes an upstream out', async (t) => {
  const [much, little, none] = await Promise.all(['much', 'little', 'none'].map((name) => named(t, name)));
  const upstreams = [
    { url: much!, weight: 3 },
    { url: little!, weight: 1 },
    { url: none!, weight: 0 },
  ];
  const { port } = await startPlane(t, { routes: [route(upstreams)] });
  const text = await talk(port, get().repeat(7) + last);
  const count = (name: string) => text.split(`by ${name};`).length - 1;
  assert.deepEqual([count('much'), count('little'), count('none')], [6, 2, 0]);
});

test('least connections goes where the fewest requests are', async (t) => {
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  let asked = () => {};
  const first = new Promise<void>((resolve) => {
    asked = resolve;
  });
  const slow = await named(t, 'slow', (_, response) => {
    asked();
    void held.then(() => response.end('by slow;'));
  });
  const quick = await named(t, 'quick');
  const { port } = await startPlane(t, {
    routes: [route([{ url: slow }, { url: quick }], { balance: 'least-connections' })],
  });
  const waiting = talk(port, last);
  await first;
  const text = await talk(port, get().repeat(4) + last);
  assert.equal(text.split('by quick;').length - 1, 5);
  release();
  assert.match(await waiting, /by slow;/);
});

test('an upstream whose health check fails gets nothing until it is well again', async (t) => {
  let well = true;
  const checked = await named(t, 'checked', (request, response) => {
    response.statusCode = request.url === '/health' && !well ? 500 : 200;
    response.end('by checked;');
  });
  const other = await named(t, 'other');
  const active = { path: '/health', intervalMs: 10, healthyAfter: 1, unhealthyAfter: 1 };
  const { port, plane } = await startPlane(t, {
    routes: [route([{ url: checked }, { url: other }], { health: { active } })],
  });
  const ask = () => talk(port, get().repeat(3) + last);
  const isWell = (wanted: boolean) =>
    until('health', async () => plane.upstreams().find(({ url }) => url === checked)?.healthy === wanted);
  assert.match(await ask(), /by checked;/);
  well = false;
  await isWell(false);
  assert.doesNotMatch(await ask(), /by checked;/);
  well = true;
  await isWell(true);
  assert.match(await ask(), /by checked;/);
});
