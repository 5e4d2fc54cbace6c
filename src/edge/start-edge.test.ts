import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type ConnectionOptions, connect } from 'node:tls';
import { createTestAuthority } from '../../test/fixtures/certificate.ts';
import { temporaryDirectory } from '../../test/fixtures/temporary.ts';
import { silentLogger, systemClock } from '../base/index.ts';
import { createPictureWriter } from '../picture/index.ts';
import { createSealer } from '../secrets/index.ts';
import { defaultTlsPolicy, type Edge, startEdge } from './index.ts';

const authority = createTestAuthority();

async function startTestEdge(t: TestContext, workers: number) {
  const path = join(temporaryDirectory(t), 'picture.db');
  const masterKeys = [randomBytes(32)] as const;
  const picture = createPictureWriter(path, createSealer(masterKeys));
  const upstream = createServer((request, response) => response.end(`hello ${request.url}`)).listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  const edge = startEdge(
    {
      listeners: [
        {
          id: 'main',
          address: '127.0.0.1',
          httpsPort: 0,
          httpPort: 0,
          proxyProtocolFrom: [],
          tls: { policy: defaultTlsPolicy, http2: true, handshakeMs: 5_000 },
        },
      ],
      picture: { path, masterKeys },
      workers,
      log: { level: 'error', pretty: false },
    },
    { clock: systemClock, log: silentLogger },
  );
  t.after(async () => {
    await edge.stop(1_000);
    upstream.close();
    picture.close();
  });
  const { port } = upstream.address() as AddressInfo;
  const serve = (name: string, version = '1') => {
    const { cert: chain, key, names, notBefore, notAfter } = authority.issue([name]);
    picture.putCertificate({ id: name, version, names, chain, key, notBefore, notAfter });
    picture.putRoute({ id: name, host: name, path: '/', upstreams: [{ url: `http://127.0.0.1:${port}` }] });
  };
  return { edge, picture, serve };
}

const httpsPort = (edge: Edge) => edge.listeners[0]!.httpsPort!;

/** The answer in full, or the code of the error. */
function get(edge: Edge, servername: string, options: ConnectionOptions = {}): Promise<string> {
  return new Promise((resolve) => {
    const port = httpsPort(edge);
    const socket = connect({ port, host: '127.0.0.1', servername, ca: authority.ca, ...options }, () =>
      socket.write(`GET /path HTTP/1.1\r\nHost: ${servername}\r\nConnection: close\r\n\r\n`),
    );
    let answer = '';
    socket.on('data', (chunk) => (answer += chunk));
    socket.on('end', () => resolve(answer));
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
}

async function getPlain(port: number, host: string, path: string) {
  const sent = request({ host: '127.0.0.1', port, path, headers: { host }, agent: false }).end();
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  return { status: answer.statusCode, location: answer.headers.location, body: await text(answer) };
}

const pids = (edge: Edge) => edge.workers().map(({ state }) => (state.status === 'ready' ? state.pid : undefined));

test('a worker serves what the picture says from the next handshake on', async (t) => {
  const { edge, picture, serve } = await startTestEdge(t, 1);
  serve('a.test');
  await edge.start();
  assert.match(await get(edge, 'a.test'), /^HTTP\/1\.1 200 [\s\S]*hello \/path/);
  assert.equal(await get(edge, 'b.test'), 'ERR_SSL_TLSV1_UNRECOGNIZED_NAME');
  serve('b.test');
  assert.match(await get(edge, 'b.test'), /^HTTP\/1\.1 200/);
  picture.deleteCertificate('a.test');
  assert.equal(await get(edge, 'a.test'), 'ERR_SSL_TLSV1_UNRECOGNIZED_NAME');

  const port = edge.listeners[0]!.httpPort!;
  const moved = await getPlain(port, 'a.test', '/x?y');
  assert.deepEqual([moved.status, moved.location], [308, `https://a.test:${httpsPort(edge)}/x?y`]);
  const challenge = {
    type: 'http-01',
    token: 'tok',
    keyAuthorization: 'tok.thumb',
    expiresAt: Date.now() + 60_000,
  } as const;
  picture.putChallenge(challenge);
  const path = '/.well-known/acme-challenge/tok';
  assert.equal((await getPlain(port, 'b.test', path)).body, 'tok.thumb');
  picture.deleteChallenge(challenge);
  assert.notEqual((await getPlain(port, 'b.test', path)).status, 200);
});

test('acme-tls/1 is spoken while a challenge for that name is open, and never else', async (t) => {
  const { edge, picture, serve } = await startTestEdge(t, 1);
  serve('a.test');
  await edge.start();
  const ask = (servername: string) => get(edge, servername, { ALPNProtocols: ['acme-tls/1'] });
  assert.equal(await ask('a.test'), 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL');
  const { cert: chain, key } = authority.issue(['a.test']);
  const challenge = { type: 'tls-alpn-01', serverName: 'a.test', chain, key, expiresAt: Date.now() + 60_000 } as const;
  picture.putChallenge(challenge);
  assert.equal(await ask('a.test'), '');
  assert.equal(await ask('b.test'), 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL');
  picture.deleteChallenge(challenge);
  assert.equal(await ask('a.test'), 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL');
});

test('any worker resumes a session of another, and gives a new ticket each time', async (t) => {
  const { edge, serve } = await startTestEdge(t, 2);
  serve('a.test');
  await edge.start();
  let session: Buffer | undefined;
  for (let round = 0; round < 6; round++) {
    const port = httpsPort(edge);
    const socket = connect({ port, host: '127.0.0.1', servername: 'a.test', ca: authority.ca, session });
    const offered = session;
    session = undefined;
    socket.on('session', (ticket) => (session ??= ticket));
    await once(socket, 'secureConnect');
    assert.equal(socket.isSessionReused(), offered !== undefined);
    socket.end('GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n');
    socket.resume();
    await once(socket, 'close');
    assert.ok(session, `a ticket in round ${round}`);
  }
});

test('a worker that is killed is replaced, and no connection is refused meanwhile', async (t) => {
  const { edge, serve } = await startTestEdge(t, 1);
  serve('a.test');
  await edge.start();
  const [before] = pids(edge);
  process.kill(before!, 'SIGKILL');
  // What the dying one still accepted is its own; afterwards connections wait in the queue for the next.
  while (pids(edge)[0] === before) await nextTurn();
  assert.match(await get(edge, 'a.test'), /^HTTP\/1\.1 200/);
  const [after] = pids(edge);
  assert.notEqual(after, before);
  await edge.replaceWorkers(1_000);
  assert.notDeepEqual(pids(edge), [after]);
  assert.match(await get(edge, 'a.test'), /^HTTP\/1\.1 200/);
});
