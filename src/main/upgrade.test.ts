import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, BoundSocket, connect as connectPlain } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { connect } from 'node:tls';
import { createTestAuthority } from '../../test/fixtures/certificate.ts';
import { needProgram } from '../../test/fixtures/peer.ts';
import { startProxy } from '../../test/fixtures/proxy.ts';
import { temporaryDirectory } from '../../test/fixtures/temporary.ts';
import { until } from '../../test/fixtures/until.ts';

const authority = createTestAuthority();

async function setUp(t: TestContext, listener: RequestListener = (_, response) => response.end('here')) {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const directory = temporaryDirectory(t);
  const { cert, key } = authority.issue(['a.test']);
  writeFileSync(join(directory, 'cert.pem'), cert);
  writeFileSync(join(directory, 'key.pem'), key);
  const tls = { mode: 'manual', certificates: [{ cert: 'cert.pem', key: 'key.pem' }] };
  const config = (port: number) => ({
    workers: 2,
    health: { port: 0 },
    listeners: [{ id: 'main', address: '127.0.0.1', https_port: port, tls }],
    sites: [{ hosts: ['a.test'], upstreams: [`http://127.0.0.1:${(server.address() as AddressInfo).port}`] }],
  });
  return { directory, config };
}

/** One request on a connection of its own; rejects when any step of it fails. */
async function ask(port: number, path = '/'): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', servername: 'a.test', ca: authority.ca });
  socket.write(`GET ${path} HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n`);
  const answer = await text(socket);
  assert.match(answer, /^HTTP\/1\.1 200 /);
  return answer;
}

async function sessionOf(port: number): Promise<Buffer> {
  const socket = connect({ port, host: '127.0.0.1', servername: 'a.test', ca: authority.ca });
  socket.write('GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n');
  const [session] = await once(socket, 'session');
  socket.destroy();
  return session;
}
async function resumes(port: number, session: Buffer): Promise<boolean> {
  const socket = connect({ port, host: '127.0.0.1', servername: 'a.test', ca: authority.ca, session });
  await once(socket, 'secureConnect');
  const isReused = socket.isSessionReused();
  socket.destroy();
  return isReused;
}

const portOf = (url: string) => Number(new URL(url).port);

test('a new process takes over under load: nothing is refused, nothing fails, what is under way ends well', async (t) => {
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const { directory, config } = await setUp(t, (request, response) => {
    if (request.url === '/slow') void held.then(() => response.end('at last'));
    else response.end('here');
  });
  let now = 0;
  // Before the fixture's own end, which waits for the pipes that the successor holds too.
  t.after(() => now !== 0 && process.kill(now, 'SIGTERM'));
  const proxy = startProxy(t, config(0), directory);
  const { edge_https, pid } = await proxy.ready;
  const port = portOf(edge_https);
  const session = await sessionOf(port);
  const slow = ask(port, '/slow');
  let answered = 0;
  let over = false;
  const load = Promise.all(
    Array.from({ length: 8 }, async () => {
      for (; !over; answered++) await ask(port);
    }),
  );
  const more = (count: number) => {
    const from = answered;
    return Promise.race([load, until('answers', async () => answered >= from + count)]);
  };
  await more(50);
  const exited = once(proxy.process, 'exit');
  process.kill(pid, 'SIGUSR2');
  await until('the successor', async () => {
    now = JSON.parse(readFileSync(proxy.readyFile, 'utf8')).pid;
    return now !== pid;
  });
  await proxy.logged(/has taken over/);
  await more(100);
  release();
  assert.match(await slow, /at last/);
  assert.deepEqual(await exited, [0, null]);
  await more(100);
  over = true;
  await load;
  // Its keys came through a pipe: a client of the first process is no stranger to the second.
  assert.equal(await resumes(port, session), true);
  const status = JSON.parse((await proxy.admin('GET', '/status')).body);
  assert.equal(status.pid, now);
});

test('a successor that does not get there leaves the process as it was', async (t) => {
  const { directory, config } = await setUp(t);
  const proxy = startProxy(t, config(0), directory);
  const port = portOf((await proxy.ready).edge_https);
  proxy.configure({ ...config(0), workers: 'many' });
  const refused = await proxy.admin('POST', '/upgrade');
  assert.match(refused.body, /workers: .*is not of type integer/);
  proxy.configure(config(0));
  writeFileSync(join(directory, 'cert.pem'), 'damaged');
  const failed = await proxy.admin('POST', '/upgrade');
  assert.match(failed.body, /the new process did not get to serve: it ended \(1\); this one goes on/);
  await ask(port);
  assert.equal(JSON.parse((await proxy.admin('GET', '/status')).body).pid, proxy.process.pid);
});

test('with a socket of systemd a connection waits through a restart', async (t) => {
  const { directory, config } = await setUp(t);
  const socket = new BoundSocket({ host: '127.0.0.1', port: 0 });
  t.after(() => socket.close());
  const { port } = socket.address() as AddressInfo;
  // As systemd does: the process id is told to the process that will have it.
  const how = { through: ['sh', '-c', 'LISTEN_PID=$$ LISTEN_FDS=1 exec "$0" "$@"'], fds: [socket.fd()] };
  const first = startProxy(t, config(port), directory, how);
  await first.ready;
  await Promise.all(Array.from({ length: 8 }, () => ask(port)));
  assert.equal(await first.stop(), 0);
  const waiting = ask(port);
  const second = startProxy(t, config(port), directory, how);
  await waiting;
  await second.ready;
});

test('a key may be a credential of systemd', async (t) => {
  const { directory, config } = await setUp(t);
  const tls = { mode: 'manual', certificates: [{ cert: 'credential:cert.pem', key: 'credential:key.pem' }] };
  const listeners = config(0).listeners.map((listener) => ({ ...listener, tls }));
  const without = startProxy(t, { ...config(0), listeners }, temporaryDirectory(t));
  assert.equal(await without.ended, 1);
  assert.match(without.output(), /certificates\[0\]\.cert: credential:cert\.pem: systemd gave no credentials/);
  const through = ['env', `CREDENTIALS_DIRECTORY=${directory}`];
  const proxy = startProxy(t, { ...config(0), listeners }, temporaryDirectory(t), { through });
  await ask(portOf((await proxy.ready).edge_https));
});

test('systemd-socket-activate starts it at the first connection', async (t) => {
  const activate = needProgram(t, 'systemd-socket-activate');
  if (activate === undefined) return;
  const { directory, config } = await setUp(t);
  const free = new BoundSocket({ host: '127.0.0.1', port: 0 });
  const { port } = free.address() as AddressInfo;
  free.close();
  const through = [activate, '-l', `127.0.0.1:${port}`, '--fdname=main.https'];
  const proxy = startProxy(t, { ...config(port), workers: 1 }, directory, { through });
  await proxy.logged(/Listening on/);
  const knock = connectPlain(port, '127.0.0.1');
  await proxy.ready;
  knock.destroy();
  await ask(port);
});
