// Real Traefik on the hub, between real nftables and real peers. It serves its default certificate first, because it
// reads another directory than the one that is published to; the mission's words lead to the mend.
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { stringify } from 'yaml';
import type { Namespaces } from '../fixtures/namespaces.ts';
import { HUB4, HUB6 } from '../fixtures/published-network.ts';
import { createPublishedNetwork } from '../fixtures/published-places.ts';
import { temporaryDirectory } from '../fixtures/temporary.ts';
import { needTraefik } from '../fixtures/traefik.ts';
import { until } from '../fixtures/until.ts';

const PORTS = { https: 9443, http: 9080 };

async function startTraefikOnHub(ns: Namespaces, program: string, config: string, directory: string) {
  writeFileSync(
    config,
    stringify({
      global: { checkNewVersion: false, sendAnonymousUsage: false },
      entryPoints: { websecure: { address: `:${PORTS.https}` }, web: { address: `:${PORTS.http}` } },
      providers: { file: { directory, watch: true } },
    }),
  );
  const traefik = ns.start('h', [program, `--configFile=${config}`]);
  const asks = () => ns.run('h', 'curl', '-sk', '-o', '/dev/null', `https://127.0.0.1:${PORTS.https}/`);
  await until('Traefik', async () => (await asks()).code === 0);
  return traefik;
}

async function world(t: TestContext) {
  const program = needTraefik(t);
  if (program === undefined) return undefined;
  const scratch = temporaryDirectory(t);
  const [published, elsewhere] = [join(scratch, 'published'), join(scratch, 'elsewhere')];
  for (const directory of [published, elsewhere]) mkdirSync(directory);
  const publish = stringify({
    publish: { traefik_files: { directory: published, probe: `127.0.0.1:${PORTS.https}` } },
  });
  const g = await createPublishedNetwork(t, { config: publish, proxy: PORTS });
  const start = (directory: string) => startTraefikOnHub(g!.ns, program, join(scratch, 'traefik.yml'), directory);
  return g && { ...g, published, elsewhere, start };
}

test('Traefik’s default certificate is told as what it is; then it serves two services and a passthrough, and nothing', async (t) => {
  const g = await world(t);
  if (g === undefined) return;
  const { ns, cli, call, approve, brief, curl, pebble, own } = g;
  const astray = await g.start(g.elsewhere);
  const metrics = ['make metrics.shop.example reachable from the internet at port 9001 over https', 'app-1'] as const;
  const where = ['fd42::10/128', 'pebble'] as const;

  const lost = await brief(...metrics, ...where);
  await assert.rejects(approve(lost), /default_certificate_served|TRAEFIK DEFAULT CERT/);
  const { why } = (await call('GET', `/missions/${lost}`)) as { why: { summary: string; advice: string } };
  assert.match(
    why.summary,
    /serves CN=TRAEFIK DEFAULT CERT .*and not the certificate that was issued for metrics\.shop/,
  );
  assert.match(why.advice, /gatehouse routes compose --certificate \S+, system_reverse_proxy_compose/);
  assert.match(why.advice, /its file provider must watch the directory of publish\.traefik_files \(with watch: true\)/);
  const [exposure] = (await cli('exposures', 'list')) as unknown as { status: string }[];
  assert.equal(exposure?.status, 'incomplete', 'what was made is shown with its state');

  // What the words say: Traefik is told to watch where the routes are published, and the same is proposed again.
  await astray.stop();
  await g.start(g.published);
  const again = await approve(await brief(...metrics, ...where));
  assert.deepEqual(
    (again.plan as { action: string }[]).slice(0, 3).map(({ action }) => action),
    ['reuse', 'reuse', 'reuse'],
    'virtual IP, mapping and certificate are there already',
  );
  await approve(
    await brief('publish logs.shop.example over https via hub-1 from app-2, port 9002, 10.42.0.11, pebble'),
  );
  await approve(
    await brief(
      'expose own.shop.example over https, backend port 9443, on app-2, at fd42::13/128, the service ends TLS itself, issuer pebble',
    ),
  );
  const issued = ['--cacert', pebble.rootFile];
  for (const address of [HUB4, HUB6]) {
    assert.equal(await curl(address, 'https://metrics.shop.example/', ...issued), 'one answers metrics.shop.example');
    assert.equal(await curl(address, 'https://logs.shop.example/', ...issued), 'two answers logs.shop.example');
    assert.equal(await curl(address, 'https://own.shop.example/', '--cacert', own), 'own answers own.shop.example');
  }
  const routes = JSON.stringify(await call('GET', '/system/ingress_routes'));
  assert.match(routes, /metrics\.shop\.example/);

  for (const host of ['metrics', 'logs', 'own']) await approve(await brief(`unexpose ${host}.shop.example`));
  await until('everything to be gone', async () => {
    const tables = (await ns.run('h', 'nft', 'list', 'tables')).stdout;
    return tables.trim() === 'table inet somebody_else';
  });
  const left = readdirSync(g.published).filter((file) => /shop/.test(file) && file.endsWith('.yml'));
  assert.deepEqual(left, [], 'no route of it is published');
  assert.match(await curl(HUB4, 'https://metrics.shop.example/', ...issued), /refused|connect|Failed/);
});
