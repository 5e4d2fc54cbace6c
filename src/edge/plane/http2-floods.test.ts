import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { type TestContext, test } from 'node:test';
import { startPlane } from '../../../test/fixtures/edge-plane.ts';
import {
  ACK,
  CONTINUATION,
  DATA,
  END_HEADERS,
  END_STREAM,
  frame,
  GOAWAY,
  HEADERS,
  literals,
  openHttp2,
  PING,
  PRIORITY,
  RST_STREAM,
  SETTINGS,
  uint32,
  WINDOW_UPDATE,
} from '../../../test/fixtures/raw-http2.ts';

const HOST = 'shop.example.com';
const request = literals([
  [':method', 'GET'],
  [':scheme', 'https'],
  [':authority', HOST],
  [':path', '/'],
]);
const ENHANCE_YOUR_CALM = 11;
const LIMIT = 50;
const times = (count: number, make: (i: number) => Buffer[]) => Array.from({ length: count }, (_, i) => make(i)).flat();
/** Streams of a client are odd. */
const opened = (i: number, ended = true) => frame(HEADERS, END_HEADERS | (ended ? END_STREAM : 0), 2 * i + 1, request);
const many = (one: Buffer) => times(3 * LIMIT, () => [one]);

async function start(t: TestContext) {
  const upstream = createServer(() => {});
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    upstream.closeAllConnections();
    upstream.close();
  });
  const refusals: string[] = [];
  const { port } = await startPlane(t, {
    routes: [
      {
        id: 'r1',
        host: HOST,
        path: '/',
        upstreams: [{ url: `http://127.0.0.1:${(upstream.address() as { port: number }).port}` }],
      },
    ],
    tls: true,
    limits: { http2: { streams: 100, resets: LIMIT, controlFrames: LIMIT } },
    observer: { refused: (reason) => refusals.push(reason) },
  });
  return { port, refusals };
}

const FLOODS: Record<string, Buffer[]> = {
  // CVE-2023-44487.
  'streams that are opened and reset': times(3 * LIMIT, (i) => [opened(i), frame(RST_STREAM, 0, 2 * i + 1, uint32(8))]),
  // CVE-2025-8671: the client makes us send the resets.
  'streams that we must reset': times(3 * LIMIT, (i) => [opened(i), frame(WINDOW_UPDATE, 0, 2 * i + 1, uint32(0))]),
  'streams with a wrong length': times(3 * LIMIT, (i) => [
    frame(HEADERS, END_HEADERS | END_STREAM, 2 * i + 1, Buffer.concat([request, literals([['content-length', '5']])])),
  ]),
  // CVE-2024-27316 and the like.
  'continuations without an end': [
    frame(HEADERS, END_STREAM, 1, request),
    ...many(frame(CONTINUATION, 0, 1, literals([['x', 'y']]))),
  ],
  'empty continuations': [frame(HEADERS, END_STREAM, 1, request), ...many(frame(CONTINUATION, 0, 1))],
  'large continuations': [
    frame(HEADERS, END_STREAM, 1, request),
    ...times(20, () => [frame(CONTINUATION, 0, 1, literals([['x', 'y'.repeat(16_000)]]))]),
  ],
  // CVE-2019-9512, -9515, -9513, -9518.
  pings: many(frame(PING, 0, 0, Buffer.alloc(8))),
  'answers to pings that we did not send': many(frame(PING, ACK, 0, Buffer.alloc(8))),
  settings: many(frame(SETTINGS, 0, 0)),
  'acknowledged settings': many(frame(SETTINGS, ACK, 0)),
  priorities: many(frame(PRIORITY, 0, 1, Buffer.alloc(5, 0))),
  'empty data': [opened(0, false), ...many(frame(DATA, 0, 1))],
  'padding without data': [opened(0, false), ...many(frame(DATA, 8, 1, Buffer.of(0)))],
  'window updates': many(frame(WINDOW_UPDATE, 0, 0, uint32(1))),
  'frames of a type that nobody knows': many(frame(0xee, 0, 0)),
};

for (const [name, frames] of Object.entries(FLOODS))
  test(`a flood of HTTP/2 ends the connection: ${name}`, async (t) => {
    const { port, refusals } = await start(t);
    const connection = await openHttp2(port);
    t.after(connection.close);
    connection.send(...frames);
    const last = await connection.next(({ type }) => type === GOAWAY);
    assert.equal(last?.payload.readUInt32BE(4), ENHANCE_YOUR_CALM);
    assert.deepEqual(refusals, ['http2_flood']);
  });

test('what is worth something pays for control frames: a long connection may send as many as it has requests', async (t) => {
  const { port, refusals } = await start(t);
  const connection = await openHttp2(port);
  t.after(connection.close);
  // Requests for another host are answered by the edge itself.
  const other = literals([
    [':method', 'GET'],
    [':scheme', 'https'],
    [':authority', 'other.example.com'],
    [':path', '/'],
  ]);
  for (let i = 0; i < 3 * LIMIT; i++) {
    connection.send(frame(HEADERS, END_HEADERS | END_STREAM, 2 * i + 1, other), frame(WINDOW_UPDATE, 0, 0, uint32(1)));
    const answer = await connection.next(
      ({ type, stream }) => type === GOAWAY || (type === HEADERS && stream === 2 * i + 1),
    );
    assert.equal(answer?.type, HEADERS);
  }
  assert.deepEqual(refusals, []);
});

test('a small block that unfolds into a large head is answered with 431', async (t) => {
  const { port } = await start(t);
  const connection = await openHttp2(port);
  t.after(connection.close);
  // One large field into the dynamic table (RFC 7541 §6.2.1), then a hundred times its index, 62.
  const large = Buffer.concat([Buffer.of(0x40), literals([['x', 'y'.repeat(3_000)]]).subarray(1)]);
  const bomb = Buffer.concat([request, large, Buffer.alloc(95, 0x80 | 62)]);
  connection.send(frame(HEADERS, END_HEADERS | END_STREAM, 1, bomb));
  const answer = await connection.next(({ type }) => type === HEADERS || type === RST_STREAM || type === GOAWAY);
  assert.equal(answer?.type, HEADERS);
  assert.match(answer!.payload.toString('latin1'), /431/);
});
