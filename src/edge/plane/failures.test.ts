import assert from 'node:assert/strict';
import { createServer, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { eachEngine, talk } from '../../../test/fixtures/edge-plane.ts';
import { createVirtualClock } from '../../base/index.ts';
import type { Route } from '../../picture/index.ts';
import type { RequestRecord } from './types.ts';

/** An upstream of raw octets: `answer` gets each connection's number and what came. */
async function rawUpstream(t: TestContext, answer: (socket: Socket, connection: number, text: string) => void) {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    const number = sockets.push(socket);
    socket.on('error', () => {});
    socket.on('data', (bytes) => answer(socket, number, bytes.toString('latin1')));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as { port: number }).port}`, sockets };
}
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const route = (urls: string[], more: Partial<Route> = {}): Route => ({
  id: 'r1',
  host: 'shop.example.com',
  path: '/',
  upstreams: urls.map((url) => ({ url })),
  ...more,
});
const request = (method: string, more = '') => `${method} / HTTP/1.1\r\nHost: shop.example.com\r\n${more}\r\n`;
const whole = (count: number) => (text: string) => text.split('\r\n\r\nok').length > count;

eachEngine(
  'a kept connection that ends without an answer: a GET is sent again, a POST is not',
  async (t, startPlane) => {
    const { url, sockets } = await rawUpstream(t, (socket, connection, text) => {
      if (connection === 1 && text.includes('x-second')) socket.destroy();
      else if (connection === 2 && text.startsWith('POST')) socket.destroy();
      else socket.write(OK);
    });
    const { port } = await startPlane(t, { routes: [route([url])] });
    const answers = await talk(port, request('GET') + request('GET', 'x-second: 1\r\n'), whole(2));
    assert.equal(answers.match(/200 OK/g)?.length, 2);
    assert.equal(sockets.length, 2);
    const post = await talk(port, `${request('POST', 'Content-Length: 1\r\nConnection: close\r\n')}x`);
    assert.match(post, /^HTTP\/1\.1 502 /);
    assert.equal(sockets.length, 2);
  },
);

eachEngine('an upstream that cannot be reached rests, and the other gets everything', async (t, startPlane) => {
  const { url } = await rawUpstream(t, (socket) => socket.write(OK));
  const { port, plane } = await startPlane(t, { routes: [route(['http://127.0.0.1:1', url])] });
  const answers = await talk(port, request('POST', 'Content-Length: 1\r\n').concat('x').repeat(10), whole(10));
  assert.equal(answers.match(/200 OK/g)?.length, 10);
  const state = plane.upstreams().find((upstream) => upstream.url === 'http://127.0.0.1:1');
  assert.equal(state?.healthy, false);
  assert.match(state?.reason ?? '', /ECONNREFUSED/);
});

eachEngine('answers that two readers could take differently do not pass', async (t, startPlane) => {
  const answers: Record<string, string> = {
    both: 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    twice: 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok!',
    folded: 'HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 2\r\n\r\nok',
    chunk: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0x2\r\nok\r\n0\r\n\r\n',
    upgrade: 'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n',
  };
  const { url } = await rawUpstream(t, (socket, _, text) => {
    socket.write(answers[/x-case: (\w+)/.exec(text)?.[1] ?? ''] ?? OK);
  });
  const { port } = await startPlane(t, { routes: [route([url])] });
  for (const name of Object.keys(answers)) {
    const text = await talk(port, request('GET', `x-case: ${name}\r\nConnection: close\r\n`)).catch(() => '');
    // A chunk goes wrong after the head has left: the connection ends without the last chunk.
    if (name === 'chunk') assert.doesNotMatch(text, /\r\n0\r\n\r\n$/);
    else assert.match(text, /^HTTP\/1\.1 502 /, name);
  }
});

eachEngine(
  'times: a slow head and a slow body get 408, a slow upstream 504, a full queue 503',
  async (t, startPlane) => {
    const clock = createVirtualClock();
    const { url } = await rawUpstream(t, () => {});
    const records: [number, string | undefined][] = [];
    const { port } = await startPlane(t, {
      clock,
      routes: [
        route([url]),
        route([url], { id: 'r2', path: '/one', limits: { concurrency: { active: 1, queue: 1, waitMs: 20_000 } } }),
      ],
      observer: { request: (record: RequestRecord) => records.push([record.status, record.problem]) },
    });
    const passing = async (talking: Promise<string>, ms: number) => {
      // What was written has to arrive before time may pass.
      for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
      await clock.advance(ms);
      return talking;
    };
    assert.match(await passing(talk(port, 'GET / HTTP/1.1\r\nHo'), 11_000), /^HTTP\/1\.1 408 /);
    const slow = talk(port, `${request('POST', 'Content-Length: 5\r\n')}ab`);
    assert.match(await passing(slow, 70_000), /^HTTP\/1\.1 408 /);
    assert.match(await passing(talk(port, request('GET', 'Connection: close\r\n')), 61_000), /^HTTP\/1\.1 504 /);
    const one = () => talk(port, 'GET /one HTTP/1.1\r\nHost: shop.example.com\r\nConnection: close\r\n\r\n');
    const three = Promise.all([one(), one(), one()]);
    await passing(Promise.resolve(''), 0);
    for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve));
    await clock.advance(30_000);
    await clock.advance(61_000);
    const codes = (await three).map((text) => text.slice(9, 12)).sort();
    assert.deepEqual(codes, ['503', '503', '504']);
    assert.equal(
      records.some(([status, problem]) => status === 504 && /in time/.test(problem ?? '')),
      true,
    );
  },
);

eachEngine('an address has so many requests, and so many connections', async (t, startPlane) => {
  const { url } = await rawUpstream(t, (socket) => socket.write(OK));
  const refused: string[] = [];
  const { port, plane } = await startPlane(t, {
    clock: createVirtualClock(),
    routes: [route([url])],
    limits: { requestsPerAddress: { perSecond: 1, burst: 3 }, connectionsPerAddress: 2 },
    observer: { refused: (reason) => refused.push(reason) },
  });
  const answers = await talk(port, request('GET').repeat(4) + request('GET', 'Connection: close\r\n'));
  assert.equal(answers.match(/HTTP\/1\.1 200 OK/g)?.length, 3);
  assert.equal(answers.match(/HTTP\/1\.1 429 /g)?.length, 2);
  assert.match(answers, /retry-after: 1\r\n/);
  assert.deepEqual(
    [plane.admit('::1'), plane.admit('::1'), plane.admit('::2'), plane.admit('10.0.0.1')],
    [true, true, false, true],
  );
  plane.release('::1');
  assert.equal(plane.admit('::2'), true);
  assert.deepEqual(refused, ['requests_per_address', 'requests_per_address', 'connections_per_address']);
});
