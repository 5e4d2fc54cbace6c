import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createServer, type RequestListener } from 'node:http';
import {
  type ClientHttp2Session,
  connect,
  constants,
  createServer as createH2cServer,
  createSecureServer,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2';
import { type TestContext, test } from 'node:test';
import { createTestAuthority } from '../../../test/fixtures/certificate.ts';
import { eachEngine, startPlane } from '../../../test/fixtures/edge-plane.ts';
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

function client(t: TestContext, port: number): ClientHttp2Session {
  const session = connect(`https://127.0.0.1:${port}`, { rejectUnauthorized: false });
  t.after(() => session.destroy());
  session.on('error', () => {});
  return session;
}

interface Answer {
  readonly headers: IncomingHttpHeaders & { ':status'?: number };
  readonly body: Buffer;
  readonly trailers: IncomingHttpHeaders | undefined;
}

function ask(session: ClientHttp2Session, fields: Record<string, string | string[]>, body?: Buffer): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const stream = session.request({ ':authority': 'shop.example.com', ...fields }, { endStream: body === undefined });
    const pieces: Buffer[] = [];
    let headers: Answer['headers'] = {};
    let trailers: IncomingHttpHeaders | undefined;
    stream.on('response', (received) => {
      headers = received;
    });
    stream.on('trailers', (received) => {
      trailers = received;
    });
    stream.on('data', (piece: Buffer) => pieces.push(piece));
    stream.on('end', () => resolve({ headers, body: Buffer.concat(pieces), trailers }));
    stream.on('error', reject);
    if (body !== undefined) stream.end(body);
  });
}

eachEngine('requests of many streams go through one connection', async (t, startPlane) => {
  const url = await upstream(t, (request, response) => {
    response.setHeader('x-path', request.url ?? '');
    response.end(JSON.stringify(request.headers));
  });
  const { port } = await startPlane(t, { routes: [site(url)], tls: true });
  const session = client(t, port);
  const answers = await Promise.all(
    Array.from({ length: 60 }, (_, i) => ask(session, { ':path': `/${i}`, cookie: ['a=1', 'b=2'], 'x-own': 'kept' })),
  );
  answers.forEach((answer, i) => {
    assert.equal(answer.headers[':status'], 200);
    assert.equal(answer.headers['x-path'], `/${i}`);
    assert.equal(answer.headers.connection, undefined);
    const seen = JSON.parse(answer.body.toString()) as Record<string, string>;
    assert.equal(seen.host, 'shop.example.com');
    assert.equal(seen.cookie, 'a=1; b=2');
    assert.equal(seen['x-own'], 'kept');
    assert.equal(seen['x-forwarded-proto'], 'https');
  });
});

eachEngine('large bodies pass both ways under flow control', async (t, startPlane) => {
  const url = await upstream(t, (request, response) => request.pipe(response));
  const { port } = await startPlane(t, { routes: [site(url)], tls: true });
  const session = client(t, port);
  const body = randomBytes(3 * 1024 * 1024);
  const answers = await Promise.all([1, 2, 3].map(() => ask(session, { ':path': '/', ':method': 'POST' }, body)));
  for (const answer of answers) assert.equal(answer.body.equals(body), true);
});

eachEngine('what the edge answers itself ends the stream and leaves the connection', async (t, startPlane) => {
  const url = await upstream(t, (_, response) => response.writeHead(204).end());
  const { port } = await startPlane(t, { routes: [site(url)], tls: true, limits: { bodyBytes: 10, headBytes: 4_096 } });
  const session = client(t, port);
  const unknown = await ask(session, { ':path': '/', ':authority': 'other.example.com' });
  assert.equal(unknown.headers[':status'], 403);
  const large = await ask(session, { ':path': '/', ':method': 'POST', 'content-length': '11' }, Buffer.alloc(11));
  assert.equal(large.headers[':status'], 413);
  const long = await ask(session, { ':path': '/', 'x-long': 'x'.repeat(5_000) });
  assert.equal(long.headers[':status'], 431);
  assert.equal((await ask(session, { ':path': '/' })).headers[':status'], 204);
});

test('a flood of resets ends the connection', async (t) => {
  const url = await upstream(t, () => {});
  const refusals: string[] = [];
  const { port } = await startPlane(t, {
    routes: [site(url)],
    tls: true,
    limits: { http2: { streams: 100, resets: 20, controlFrames: 1_000 } },
    observer: { refused: (reason) => refusals.push(reason) },
  });
  const session = client(t, port);
  const code = new Promise<number>((resolve) => session.on('goaway', resolve));
  session.on('connect', () => {
    for (let i = 0; i < 60; i++) {
      const stream = session.request({ ':authority': 'shop.example.com', ':path': '/' });
      stream.on('error', () => {});
      stream.close(constants.NGHTTP2_CANCEL);
    }
  });
  assert.equal(await code, constants.NGHTTP2_ENHANCE_YOUR_CALM);
  assert.deepEqual(refusals, ['http2_flood']);
});

for (const kind of ['h2c', 'https'] as const) {
  eachEngine(`a call with trailers goes to an ${kind} upstream on one shared connection`, async (t, startPlane) => {
    const sessions = new Set<unknown>();
    const server = kind === 'h2c' ? createH2cServer() : createSecureServer(createTestAuthority().issue(['localhost']));
    server.on('session', (session) => {
      sessions.add(session);
      t.after(() => session.destroy());
    });
    server.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
      const pieces: Buffer[] = [];
      stream.on('error', () => {});
      stream.on('data', (piece: Buffer) => pieces.push(piece));
      stream.on('end', () => {
        stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
        stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0', 'x-te': String(headers.te) }));
        stream.end(Buffer.concat(pieces));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.after(() => void server.close());
    const { port: to } = server.address() as { port: number };
    const upstream = { url: `${kind}://127.0.0.1:${to}`, tls: { insecure: true } };
    const { port } = await startPlane(t, { routes: [{ ...site(''), upstreams: [upstream] }], tls: true });
    const session = client(t, port);
    const call = { ':path': '/s/m', ':method': 'POST', 'content-type': 'application/grpc', te: 'trailers' };
    await ask(session, call, Buffer.from('first'));
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, i) => ask(session, call, Buffer.from(`call ${i} ${'x'.repeat(1_000 * i)}`))),
    );
    answers.forEach((answer, i) => {
      assert.equal(answer.body.toString().split(' x')[0], i === 0 ? 'call 0 ' : `call ${i}`);
      assert.equal(answer.trailers?.['grpc-status'], '0');
      assert.equal(answer.trailers?.['x-te'], 'trailers');
    });
    assert.equal(sessions.size, 1);
  });
}
