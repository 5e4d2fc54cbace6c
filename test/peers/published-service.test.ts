// A client, a hub and two backends, each in a network namespace of its own: real nftables, real agents, the real edge,
// PowerDNS for DNS-01 and Pebble to check it. From a sentence to the concierge to a page, and back to nothing.
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { HUB4, HUB6 } from '../fixtures/published-network.ts';
import { createPublishedNetwork } from '../fixtures/published-places.ts';
import { until } from '../fixtures/until.ts';

test('from sentences to pages over both families, two services behind one hub, and nothing left', async (t) => {
  const g = await createPublishedNetwork(t);
  if (g === undefined) return;
  const { ns, cli, approve, brief, curl, pebble, own } = g;
  const issued = ['--cacert', pebble.rootFile];

  // One question at a time, each answered from what was offered.
  const asked = await brief(
    'make metrics.shop.example reachable from the internet at port 9001 over https',
    'app-1',
    'fd42::10/128',
    'pebble',
  );
  assert.match(
    await curl(HUB4, 'https://metrics.shop.example/', ...issued),
    /Connection refused|Couldn't connect|Failed/,
  );
  const metrics = await approve(asked);
  assert.deepEqual(metrics.steps_completed, ['virtual_ip', 'port_mapping', 'certificate', 'proxy', 'probe']);
  assert.deepEqual(
    metrics.warnings.filter((warning) => !/is not an address that the internet routes/.test(warning)),
    [],
    'its records are there, and the probe saw the page',
  );
  // A whole sentence at once; the second service behind the same port of the same hub, and http beside https.
  const logs =
    'publish logs.shop.example via hub-1 from app-2, port nine thousand and two, with the virtual ip 10.42.0.11, issuer pebble';
  const second = await approve(await brief(`${logs}, over https`));
  assert.match(second.warnings.join('\n'), /logs\.shop\.example has no public A or AAAA record: make a record/);
  await approve(await brief(`${logs}, over plain http`));
  const plain = await approve(
    await brief('expose plain.shop.example over http at fd42::12/128, port 9001, it runs on app-1'),
  );
  assert.deepEqual(plain.steps_completed, ['virtual_ip', 'port_mapping', 'probe']);
  const forbidden = await approve(
    await brief('expose forbidden.shop.example over http at fd42::15/128, port 9001, it runs on app-1'),
  );
  assert.match(forbidden.warnings.join('\n'), /forbidden\.shop\.example answers 403 at .* list of allowed hosts/);
  await approve(
    await brief(
      'expose own.shop.example on public port 9443, backend port 9443, it runs on app-2, at fd42::13/128 and 10.42.0.13/32, the service ends TLS itself, issuer pebble',
    ),
  );

  for (const address of [HUB4, HUB6]) {
    assert.equal(await curl(address, 'https://metrics.shop.example/', ...issued), 'one answers metrics.shop.example');
    assert.equal(await curl(address, 'https://logs.shop.example/', ...issued), 'two answers logs.shop.example');
    assert.equal(await curl(address, 'http://logs.shop.example/'), 'two answers logs.shop.example');
    assert.equal(await curl(address, 'http://plain.shop.example/'), 'one answers plain.shop.example');
    assert.equal(
      await curl(address, 'https://own.shop.example:9443/', '--cacert', own),
      'own answers own.shop.example:9443',
    );
  }
  const shown = await ns.run(
    'c',
    'openssl',
    's_client',
    '-connect',
    `${HUB4}:443`,
    '-servername',
    'metrics.shop.example',
  );
  const pem = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/.exec(shown.stdout)?.[0] ?? '';
  assert.match(new X509Certificate(pem).issuer, /Pebble Intermediate/);
  assert.equal(new X509Certificate(pem).subjectAltName, 'DNS:metrics.shop.example');

  // A second service on the port of one that ends TLS itself: that one's TLS goes through the proxy as it is.
  await approve(
    await brief(
      'expose beside.shop.example over https on public port 9443, backend port 9001, on app-1, vip fd42::14/128, issuer pebble',
    ),
  );
  const table = async () => (await ns.run('h', 'nft', 'list', 'table', 'inet', 'gatehouse')).stdout;
  await until('the hub to follow', async () => (await table()).includes('tcp dport 9443 redirect to :8443'));
  const there = ['https://beside.shop.example:9443/', ...issued] as const;
  assert.equal(await curl(HUB6, ...there), 'one answers beside.shop.example:9443');
  assert.equal(
    await curl(HUB4, 'https://own.shop.example:9443/', '--cacert', own),
    'own answers own.shop.example:9443',
    'passed through by its server name',
  );

  const looked = (await cli('networks', 'peers', 'show', g.hub)) as unknown as {
    agent: { report: { counters: Record<string, { accepted: number }> } };
  };
  assert.ok(Object.keys(looked.agent.report.counters).length >= 3, JSON.stringify(looked.agent));

  for (const host of ['metrics', 'logs', 'plain', 'forbidden', 'own', 'beside'])
    await approve(await brief(`unexpose ${host}.shop.example`));
  const held = async (short: string) => (await ns.run(short, 'ip', 'addr', 'show', 'dev', 'overlay0')).stdout;
  await until('everything to be gone', async () => {
    const tables = (await ns.run('h', 'nft', 'list', 'tables')).stdout;
    const addresses = (await held('one')) + (await held('two'));
    return tables.trim() === 'table inet somebody_else' && !/fd42::1\d|10\.42\.0\.1\d/.test(addresses);
  });
  for (const kind of ['virtual-ips', 'port-mappings']) assert.deepEqual(await cli('networks', kind, 'list'), [], kind);
  for (const kind of ['routes', 'exposures']) assert.deepEqual(await cli(kind, 'list'), [], kind);
  const left = (await cli('certificates', 'list')) as unknown as { names: string[]; references: string[] }[];
  assert.deepEqual(
    left.filter(({ names, references }) => names[0]?.endsWith('.shop.example') && references.length > 0),
    [],
    'every certificate was released',
  );
  assert.ok(readFileSync(g.root, 'utf8').includes('BEGIN CERTIFICATE'));
});
