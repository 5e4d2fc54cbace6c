import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { connect, type TLSSocket } from 'node:tls';
import { createTestAuthority } from '../../test/fixtures/certificate.ts';
import { startProxy } from '../../test/fixtures/proxy.ts';
import { temporaryDirectory } from '../../test/fixtures/temporary.ts';
import { until } from '../../test/fixtures/until.ts';

const authority = createTestAuthority();

test('a reload adds and removes listeners, and no connection of another one notices', async (t) => {
  const upstream = createServer((_, response) => response.end('here')).listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  const taken = createTcpServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  t.after(() => {
    upstream.closeAllConnections();
    upstream.close();
    taken.close();
  });
  const directory = temporaryDirectory(t);
  const { cert, key } = authority.issue(['a.test']);
  writeFileSync(join(directory, 'cert.pem'), cert);
  writeFileSync(join(directory, 'key.pem'), key);
  const tls = { mode: 'manual', certificates: [{ cert: 'cert.pem', key: 'key.pem' }] };
  const listener = (id: string, https_port = 0) => ({ id, address: '127.0.0.1', https_port, tls });
  const config = (...listeners: object[]) => ({
    workers: 2,
    listeners,
    sites: [{ hosts: ['a.test'], upstreams: [`http://127.0.0.1:${(upstream.address() as AddressInfo).port}`] }],
  });
  const proxy = startProxy(t, config(listener('one')), directory);
  await proxy.ready;
  const reload = async (...listeners: object[]) => {
    proxy.configure(config(...listeners));
    return proxy.admin('POST', '/reload');
  };
  const reloaded = async (...listeners: object[]) => {
    const { status, body } = await reload(...listeners);
    assert.equal(status, 200, body);
  };
  const portOf = async (id: string) => {
    const { listeners } = JSON.parse((await proxy.admin('GET', '/status')).body);
    return listeners.find((entry: { id: string }) => entry.id === id)?.httpsPort as number;
  };
  const open = async (port: number): Promise<TLSSocket> => {
    const socket = connect({ port, host: '127.0.0.1', servername: 'a.test', ca: authority.ca });
    await once(socket, 'secureConnect');
    return socket;
  };
  const ask = async (port: number) => {
    const socket = await open(port);
    socket.write('GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n');
    assert.match(await text(socket), /^HTTP\/1\.1 200 /);
  };
  const refused = (port: number) =>
    until('a closed port', () =>
      open(port).then(
        (socket) => socket.destroy() === undefined,
        (error: NodeJS.ErrnoException) => error.code === 'ECONNREFUSED',
      ),
    );
  const one = await portOf('one');
  const kept = await open(one);
  const again = async () => {
    kept.write('GET / HTTP/1.1\r\nHost: a.test\r\n\r\n');
    assert.match(String((await once(kept, 'data'))[0]), /^HTTP\/1\.1 200 /);
  };
  await again();

  const busy = await reload(listener('one'), listener('two', (taken.address() as AddressInfo).port));
  assert.equal(busy.status, 500);
  assert.match(busy.body, /cannot listen on 127\.0\.0\.1:\d+: .*EADDRINUSE/);
  await ask(one);

  await reloaded(listener('one'), listener('two'));
  const two = await portOf('two');
  // Each worker has a socket of its own there; some connections come to each.
  for (let i = 0; i < 16; i++) await ask(two);
  await again();
  const onTwo = await open(two);

  await reloaded(listener('one'));
  await refused(two);
  onTwo.write('GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n');
  assert.match(await text(onTwo), /^HTTP\/1\.1 200 /);
  await again();

  // A worker that is started anew inherits what there is now.
  await reloaded(listener('one'), listener('two'));
  const { reports } = JSON.parse((await proxy.admin('GET', '/status')).body);
  const since = proxy.output().length;
  for (const { pid } of reports) process.kill(pid, 'SIGKILL');
  await proxy.logged(/edge worker 0 .* it is started again/, since);
  const renewed = await portOf('two');
  for (let i = 0; i < 8; i++) await ask(renewed);
  await reloaded(listener('two'));
  await refused(one);
  await ask(renewed);
});

test('a reload that fails at one listener leaves the certificates of the others as they were', async (t) => {
  const directory = temporaryDirectory(t);
  for (const name of ['old', 'new'] as const) {
    const pair = authority.issue([`${name}.test`]);
    for (const part of ['cert', 'key'] as const) writeFileSync(join(directory, `${name}-${part}.pem`), pair[part]);
  }
  writeFileSync(join(directory, 'broken-cert.pem'), 'half a fi');
  writeFileSync(join(directory, 'broken-key.pem'), 'half a fi');
  const listener = (id: string, pair: string) => ({
    id,
    address: '127.0.0.1',
    https_port: 0,
    tls: { mode: 'manual', certificates: [{ cert: `${pair}-cert.pem`, key: `${pair}-key.pem` }] },
  });
  const config = (one: string, two: string) => ({
    workers: 1,
    listeners: [listener('one', one), listener('two', two)],
    sites: [{ hosts: ['old.test'], redirect: { to: 'https://elsewhere.example' } }],
  });
  const proxy = startProxy(t, config('old', 'old'), directory);
  const { edge_https } = await proxy.ready;
  proxy.configure(config('new', 'broken'));
  const { status, body } = await proxy.admin('POST', '/reload');
  assert.equal(status, 500);
  assert.match(body, /broken-cert\.pem/);
  const port = Number(new URL(edge_https).port);
  const socket = connect({ port, host: '127.0.0.1', servername: 'old.test', ca: authority.ca });
  await once(socket, 'secureConnect');
  socket.destroy();
});
