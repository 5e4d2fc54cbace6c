import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { connect, type DetailedPeerCertificate } from 'node:tls';
import { silentLogger } from '../../src/base/index.ts';
import { openCacheDirectory } from '../../src/edge/keeper/cache-directory.ts';
import { readPair } from '../../src/edge/keeper/certificate-pair.ts';
import { createTestAuthority } from '../fixtures/certificate.ts';
import { type Gate, openGate } from '../fixtures/gate.ts';
import { type Pebble, startPebble } from '../fixtures/pebble.ts';
import { startProxy } from '../fixtures/proxy.ts';
import { temporaryDirectory } from '../fixtures/temporary.ts';

// The failure table of an ACME listener, row by row, against Pebble behind a gate that can be shut.

const NAME = 'shop.example.com';
const DAY = 86_400_000;

interface Setting {
  readonly pebble: Pebble;
  readonly gate: Gate;
  readonly directory: string;
  readonly cacheDir: string;
  readonly config: object;
}

async function setUp(t: TestContext, tls: object = {}): Promise<Setting | undefined> {
  const pebble = await startPebble(t);
  if (pebble === undefined) return undefined;
  const gate = await openGate(t, Number(new URL(pebble.directory).port));
  const directory = temporaryDirectory(t);
  const cacheDir = join(directory, 'cache');
  const config = {
    workers: 1,
    drain_seconds: 1,
    listeners: [
      {
        id: 'main',
        address: '127.0.0.1',
        https_port: pebble.tlsPort,
        http_port: pebble.httpPort,
        tls: {
          mode: 'acme',
          names: [NAME],
          directory: `https://127.0.0.1:${gate.port}/dir`,
          ca_file: pebble.caFile,
          contact: 'mailto:ops@example.com',
          cache_dir: cacheDir,
          ...tls,
        },
      },
    ],
    sites: [{ hosts: [NAME], redirect: { to: 'https://elsewhere.example' } }],
  };
  return { pebble, gate, directory, cacheDir, config };
}

/** Puts a certificate of another CA into the cache, as an earlier run would have. */
function fillCache(cacheDir: string, times: { notBefore: number; notAfter: number }): string {
  const { cert, key } = createTestAuthority().issue([NAME], times);
  const cache = openCacheDirectory(cacheDir, silentLogger);
  const pair = readPair(cert, key);
  cache.saveCertificate(pair);
  cache.release();
  return pair.facts.serial;
}

function served(port: number, servername = NAME): Promise<DetailedPeerCertificate> {
  return new Promise((resolve, reject) => {
    const options = { port, host: '127.0.0.1', servername, rejectUnauthorized: false };
    const socket = connect(options, () => {
      resolve(socket.getPeerCertificate(true));
      socket.destroy();
    });
    socket.on('error', reject);
  });
}

const tlsOf = (listener: object) => (listener as { tls: object }).tls;
const assertFromPebble = async (port: number) => assert.match(String((await served(port)).issuer.CN), /Pebble/);
const serialOf = async (port: number) => (await served(port)).serialNumber.toLowerCase();

test('rows 1 and 2: without a cache and without the CA there is no start; with it there is', async (t) => {
  const at = await setUp(t);
  if (at === undefined) return;
  await at.gate.shut();
  const first = startProxy(t, at.config, at.directory);
  assert.equal(await first.ended, 1);
  assert.match(first.output(), /gatehouse: listener main: there is no certificate in the cache, and none could be got/);
  assert.match(first.output(), /ECONNREFUSED/);

  await at.gate.open();
  const second = startProxy(t, at.config, at.directory);
  await second.ready;
  await assertFromPebble(at.pebble.tlsPort);
  const serial = await serialOf(at.pebble.tlsPort);
  assert.equal(await second.stop(), 0);

  // The next start needs no CA.
  await at.gate.shut();
  const third = startProxy(t, at.config, at.directory);
  await third.ready;
  assert.equal(await serialOf(at.pebble.tlsPort), serial);
});

test('row 3: a cached certificate that is due is served with a warning while the CA is away', async (t) => {
  const at = await setUp(t);
  if (at === undefined) return;
  const now = Date.now();
  const serial = fillCache(at.cacheDir, { notBefore: now - 80 * DAY, notAfter: now + 10 * DAY });
  await at.gate.shut();
  const proxy = startProxy(t, at.config, at.directory);
  await proxy.ready;
  await proxy.logged(/"level":"warn".*could not be renewed; the one that is served stays/);
  assert.equal(await serialOf(at.pebble.tlsPort), serial);

  await at.gate.open();
  await proxy.admin('POST', '/renew');
  await proxy.logged(/a new certificate is served/);
  assert.notEqual(await serialOf(at.pebble.tlsPort), serial);
});

test('row 4: a renewal that fails later leaves what is served', async (t) => {
  const at = await setUp(t);
  if (at === undefined) return;
  const proxy = startProxy(t, at.config, at.directory);
  await proxy.ready;
  const serial = await serialOf(at.pebble.tlsPort);
  await at.gate.shut();
  await proxy.admin('POST', '/renew');
  await proxy.logged(/"level":"warn".*could not be renewed; the one that is served stays/);
  assert.equal(await serialOf(at.pebble.tlsPort), serial);
});

test('row 5: an expired cache and no CA is no start', async (t) => {
  const at = await setUp(t);
  if (at === undefined) return;
  const now = Date.now();
  fillCache(at.cacheDir, { notBefore: now - 90 * DAY, notAfter: now - DAY });
  await at.gate.shut();
  const refused = startProxy(t, at.config, at.directory);
  assert.equal(await refused.ended, 1);
  assert.match(refused.output(), /the cached certificate expired on .*, and none could be got/);

  await at.gate.open();
  const proxy = startProxy(t, at.config, at.directory);
  await proxy.ready;
  await assertFromPebble(at.pebble.tlsPort);
});

test('row 6: a certificate that expires while it is served is served on, with an error', async (t) => {
  const at = await setUp(t);
  if (at === undefined) return;
  // Long enough to start in, on a busy machine too.
  const serial = fillCache(at.cacheDir, { notBefore: Date.now() - 90 * DAY, notAfter: Date.now() + 8_000 });
  await at.gate.shut();
  const proxy = startProxy(t, at.config, at.directory);
  await proxy.ready;
  await proxy.logged(/"level":"error".*an expired certificate is served/);
  assert.equal(await serialOf(at.pebble.tlsPort), serial);
});

test('a listener whose tls-alpn-01 is in vain gets its certificate by http-01, for the hosts of its sites', async (t) => {
  const at = await setUp(t, { names: undefined });
  if (at === undefined) return;
  const [listener] = (at.config as { listeners: object[] }).listeners;
  const proxy = startProxy(t, { ...at.config, listeners: [{ ...listener, https_port: 0 }] }, at.directory);
  const { edge_https } = await proxy.ready;
  await assertFromPebble(Number(new URL(edge_https).port));
  assert.match(proxy.output(), /trying the next challenge type/);
});

test('a reload that adds an ACME listener is whole or not at all', async (t) => {
  const at = await setUp(t);
  if (at === undefined) return;
  const directory = temporaryDirectory(t);
  const pair = createTestAuthority().issue(['first.test']);
  for (const part of ['cert', 'key'] as const) writeFileSync(join(directory, `${part}.pem`), pair[part]);
  const tls = { mode: 'manual', certificates: [{ cert: 'cert.pem', key: 'key.pem' }], default_name: 'first.test' };
  const first = { id: 'first', address: '127.0.0.1', https_port: 0, tls };
  const [main] = (at.config as { listeners: object[] }).listeners as [object];
  const site = (status: number) => ({
    hosts: [NAME, 'first.test'],
    redirect: { to: 'https://elsewhere.example', status },
  });
  const config = (status: number, ...listeners: object[]) => ({
    ...at.config,
    listeners,
    sites: [site(status)],
  });
  const proxy = startProxy(t, config(301, first), directory);
  await proxy.ready;
  const listeners = async () => {
    const { body } = await proxy.admin('GET', '/status');
    return (JSON.parse(body).listeners as { id: string; httpsPort: number }[]).map(({ id, httpsPort }) => [
      id,
      httpsPort,
    ]);
  };
  const reload = async (next: object) => {
    proxy.configure(next);
    return proxy.admin('POST', '/reload');
  };
  const before = await listeners();
  const port = before[0]![1] as number;
  const open = connect({ port, host: '127.0.0.1', servername: 'first.test', rejectUnauthorized: false });
  await once(open, 'secureConnect');
  const redirect = async () => {
    open.write('GET / HTTP/1.1\r\nHost: first.test\r\n\r\n');
    return Number(/^HTTP\/1\.1 (\d+)/.exec(String((await once(open, 'data'))[0]))?.[1]);
  };
  assert.equal(await redirect(), 301);

  // One beside what there is, and one instead of it: what would have gone is never closed.
  await at.gate.shut();
  for (const next of [config(302, first, main), config(302, main)]) {
    const { status, body } = await reload(next);
    assert.equal(status, 500);
    assert.match(body, /listener main: there is no certificate in the cache, and none could be got for shop/);
    assert.deepEqual(await listeners(), before);
    await assert.rejects(served(at.pebble.tlsPort), { code: 'ECONNREFUSED' });
    assert.equal((await served(port, 'first.test')).subjectaltname, 'DNS:first.test');
    assert.equal(await redirect(), 301);
  }

  await at.gate.open();
  const added = await reload(config(302, first, main));
  assert.equal(added.status, 200, added.body);
  assert.deepEqual(await listeners(), [...before, ['main', at.pebble.tlsPort]]);
  await assertFromPebble(at.pebble.tlsPort);
  assert.equal(await redirect(), 302);

  // One that wants the ports of another stands in its place, and gives it back with its certificate.
  const serial = await serialOf(at.pebble.tlsPort);
  await at.gate.shut();
  const other = await reload(config(307, first, { ...main, id: 'other', tls: { ...tlsOf(main), cache_dir: 'other' } }));
  assert.equal(other.status, 500, other.body);
  assert.deepEqual(await listeners(), [...before, ['main', at.pebble.tlsPort]]);
  assert.equal(await serialOf(at.pebble.tlsPort), serial);
  assert.equal(await redirect(), 302);
  open.destroy();
});

test('a cache directory is for one process; a damaged file in it is set aside', async (t) => {
  const at = await setUp(t);
  if (at === undefined) return;
  const now = Date.now();
  const serial = fillCache(at.cacheDir, { notBefore: now - DAY, notAfter: now + 89 * DAY });
  writeFileSync(join(at.cacheDir, 'certificate-00000000.pem'), 'half a fi');
  await at.gate.shut();
  const proxy = startProxy(t, at.config, at.directory);
  await proxy.ready;
  assert.match(proxy.output(), /damaged and set aside/);
  assert.equal(await serialOf(at.pebble.tlsPort), serial);

  const [listener] = (at.config as { listeners: object[] }).listeners;
  const other = startProxy(t, { ...at.config, listeners: [{ ...listener, https_port: 0, http_port: 0 }] });
  assert.equal(await other.ended, 1);
  assert.match(other.output(), /another process uses .*cache/);
});
