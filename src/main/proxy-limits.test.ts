import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, connect as connectPlain } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { connect, type TLSSocket } from 'node:tls';
import { createTestAuthority } from '../../test/fixtures/certificate.ts';
import { startProxy } from '../../test/fixtures/proxy.ts';
import { temporaryDirectory } from '../../test/fixtures/temporary.ts';
import { until } from '../../test/fixtures/until.ts';

const authority = createTestAuthority();

async function start(t: TestContext, { tls = {}, ...more }: { tls?: object; [key: string]: unknown }) {
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  let ask = () => {};
  const asked = new Promise<void>((resolve) => {
    ask = resolve;
  });
  const server = createServer((request, response) => {
    ask();
    if (request.url === '/slow') void held.then(() => response.end('at last'));
    else response.end('here');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const directory = temporaryDirectory(t);
  const { cert, key } = authority.issue(['a.test']);
  writeFileSync(join(directory, 'cert.pem'), cert);
  writeFileSync(join(directory, 'key.pem'), key);
  const manual = { mode: 'manual', certificates: [{ cert: 'cert.pem', key: 'key.pem' }], ...tls };
  const config = {
    workers: 1,
    health: { port: 0 },
    listeners: [{ id: 'main', address: '127.0.0.1', https_port: 0, tls: manual }],
    sites: [{ hosts: ['a.test'], upstreams: [`http://127.0.0.1:${(server.address() as AddressInfo).port}`] }],
    ...more,
  };
  const proxy = startProxy(t, config, directory);
  const { edge_https, health } = await proxy.ready;
  const metrics = async () => (await fetch(`${health}/metrics`)).text();
  return { proxy, port: Number(new URL(edge_https).port), metrics, asked, release: () => release() };
}

async function open(port: number, localAddress = '127.0.0.1'): Promise<TLSSocket> {
  const where = { port, host: '127.0.0.1', localAddress };
  const socket = connect({ ...where, servername: 'a.test', ca: authority.ca });
  socket.on('error', () => {});
  await once(socket, 'secureConnect');
  return socket;
}
const head = (path: string) => `GET ${path} HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n`;

test('a handshake that is not done in its time is cut, and counted', async (t) => {
  const { port, metrics } = await start(t, { tls: { handshake_timeout_seconds: 0.2 } });
  const silent = connectPlain(port, '127.0.0.1');
  const dripping = connectPlain(port, '127.0.0.1');
  // The beginning of a record: more would come, says the client.
  dripping.write(Buffer.of(22, 3, 1));
  await Promise.all([silent, dripping].map((socket) => once(socket.resume(), 'close')));
  assert.match(await metrics(), /handshakes_failed_total\{reason="handshake timeout"\} 2/);
  (await open(port)).destroy();
});

test('handshakes beyond the rate are cut before they cost anything', async (t) => {
  const { port, metrics } = await start(t, { tls: { handshakes_per_second: 2 } });
  const opened = await Promise.allSettled(Array.from({ length: 12 }, () => open(port)));
  const good = opened.filter(({ status }) => status === 'fulfilled');
  assert.ok(good.length >= 2 && good.length < 12, `${good.length} of 12`);
  for (const entry of opened) if (entry.status === 'fulfilled') entry.value.destroy();
  assert.match(await metrics(), /handshakes_failed_total\{reason="handshake rate"\} \d/);
});

test('an address has so many connections; more are closed at once', async (t) => {
  const { port, metrics, proxy } = await start(t, { limits: { connections_per_address: 3 } });
  const kept = await Promise.all([open(port), open(port), open(port)]);
  const fourth = connectPlain(port, '127.0.0.1');
  fourth.on('error', () => {});
  await once(fourth.resume(), 'close');
  assert.match(await metrics(), /refused_total\{reason="connections_per_address"\} 1/);
  await proxy.logged(/"client":"127\.0\.0\.1","reason":"connections_per_address","msg":"client refused"/);
  for (const socket of kept) socket.destroy();
  // When those are gone there is room again.
  await until('room', async () => {
    const next = await open(port);
    return /200 OK/.test(await text(next.end(head('/'))));
  });
});

test('connections of an address are counted over all workers', async (t) => {
  const { port } = await start(t, { workers: 2, limits: { connections_per_address: 3 } });
  const kept = await Promise.all([open(port), open(port), open(port)]);
  // The workers hear of each other soon; then neither takes a fourth, whichever it comes to.
  await until('eight refusals in a row', async () => {
    for (let i = 0; i < 8; i++) {
      const answered = await open(port).then(
        (socket) => socket.destroy() !== undefined,
        () => false,
      );
      if (answered) return false;
    }
    return true;
  });
  for (const socket of kept) socket.destroy();
});

test('requests of an address are counted over all workers', async (t) => {
  const burst = 2;
  const { port, proxy } = await start(t, {
    workers: 2,
    trusted_proxies: ['127.0.0.0/8'],
    limits: { requests_per_address: { per_second: 0.000_001, burst } },
  });
  const ask = async (socket: TLSSocket, client: string) => {
    socket.write(`GET / HTTP/1.1\r\nHost: a.test\r\nX-Forwarded-For: ${client}\r\n\r\n`);
    return Number(/^HTTP\/1\.1 (\d+) /.exec(String((await once(socket, 'data'))[0]))?.[1]);
  };
  const client = (net: number, i: number) => `10.${net}.${i >> 8}.${i & 255}`;

  // The kernel chooses the worker; where a connection came to is told by its own address.
  const byWorker = new Map<number, TLSSocket>();
  for (let i = 2; byWorker.size < 2; i++) {
    const socket = await open(port, `127.0.0.${i}`);
    assert.equal(await ask(socket, client(0, i)), 200);
    const all = JSON.parse((await proxy.admin('GET', '/connections')).body);
    const { worker } = all.find(({ remoteAddress }: { remoteAddress: string }) => remoteAddress === `127.0.0.${i}`);
    if (byWorker.has(worker)) socket.destroy();
    else byWorker.set(worker, socket);
  }
  const [one, other] = [...byWorker.values()] as [TLSSocket, TLSSocket];

  for (const [net, spends, hears] of [
    [1, one, other],
    [2, other, one],
  ] as const) {
    let spent = 0;
    const spend = async () => {
      const address = client(net, spent++);
      for (let i = 0; i < burst; i++) assert.equal(await ask(spends, address), 200);
    };
    for (let i = 0; i < 20; i++) await spend();
    // Each address is asked for once here, where its bucket is full unless the other worker's requests are heard of.
    await until('what one worker let pass is refused at the other', async () => {
      await spend();
      return (await ask(hears, client(net, spent - 21))) === 429;
    });
    assert.equal(await ask(hears, client(net + 2, 0)), 200);
  }
  for (const socket of byWorker.values()) socket.destroy();
});

test('SIGTERM lets a request finish until the deadline, and no longer', async (t) => {
  const first = await start(t, { drain_seconds: 60 });
  const slow = await open(first.port);
  slow.write(head('/slow'));
  const answer = text(slow);
  await first.asked;
  const stopped = first.proxy.stop();
  await first.proxy.logged(/the proxy stops/);
  first.release();
  assert.match(await answer, /at last/);
  assert.equal(await stopped, 0);

  const second = await start(t, { drain_seconds: 0.2 });
  const cut = await open(second.port);
  cut.write(head('/slow'));
  const nothing = text(cut).catch(() => '');
  await second.asked;
  assert.equal(await second.proxy.stop(), 0);
  assert.doesNotMatch(await nothing, /at last/);
});

test('a worker that is killed under load takes its own connections along and no other', async (t) => {
  const { port, proxy } = await start(t, { workers: 2 });
  const sockets = await Promise.all(Array.from({ length: 16 }, () => open(port)));
  const ask = async (socket: TLSSocket) => {
    socket.write('GET / HTTP/1.1\r\nHost: a.test\r\n\r\n');
    const heard = new AbortController();
    const { signal } = heard;
    const answer = await Promise.race([once(socket, 'data', { signal }), once(socket, 'close', { signal })]).catch(
      () => [],
    );
    heard.abort();
    return /^HTTP\/1\.1 200 /.test(String(answer[0]));
  };
  assert.deepEqual(new Set(await Promise.all(sockets.map(ask))), new Set([true]));
  let over = false;
  let failed = 0;
  let answered = 0;
  const load = Promise.all(
    sockets.map(async (socket) => {
      while (!over && (await ask(socket))) answered++;
      if (!over) failed++;
    }),
  );
  const { reports } = JSON.parse((await proxy.admin('GET', '/status')).body);
  const [victim, other] = reports.map(({ pid }: { pid: number }) => pid);
  process.kill(victim, 'SIGKILL');
  await proxy.logged(/edge worker \d .* it is started again/);
  const then = answered;
  await until('answers of the other', async () => answered > then + 200);
  over = true;
  await load;
  assert.ok(failed > 0 && failed < sockets.length, `${failed} of ${sockets.length}`);
  // What comes while one is away waits in its queue, or goes to the other.
  const fresh = await Promise.all(Array.from({ length: 16 }, async () => ask(await open(port))));
  assert.deepEqual(new Set(fresh), new Set([true]));
  const { reports: now } = JSON.parse((await proxy.admin('GET', '/status')).body);
  const pids = now.map(({ pid }: { pid: number }) => pid);
  assert.ok(pids.includes(other) && !pids.includes(victim));
  for (const socket of sockets) socket.destroy();
});
