import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createPublishedWorld } from '../../test/fixtures/published-world.ts';
import { createVirtualClock, sha256Hex, silentLogger } from '../base/index.ts';
import { parsePem } from '../x509/index.ts';
import { createDomainSource } from './domain-source.ts';
import { createIngressRoutes } from './ingress-routes.ts';
import { createServingWatch } from './probe.ts';
import { createPublisher } from './publisher.ts';
import { createServedCertificates } from './served-certificates.ts';
import { createServingFindings } from './serving-findings.ts';
import type { Shown } from './shown.ts';
import { createTraefikHttpTarget } from './traefik/http-target.ts';

async function opened(t: TestContext) {
  const clock = createVirtualClock();
  const world = await createPublishedWorld(t, clock);
  const { store } = world;
  const { target, document } = createTraefikHttpTarget();
  const sources = [createDomainSource(store.db)];
  const certificates = createServedCertificates(store.db, world.secrets);
  const publisher = createPublisher({ store, sources, certificates, target, clock, log: silentLogger });
  const routes = createIngressRoutes({ db: store.db, sources, certificates, publishers: [publisher], document });
  return { clock, world, store, sources, certificates, publisher, routes };
}

test('the monitor shows what is published, in pages, and how far each route has come', async (t) => {
  const { world, routes } = await opened(t);
  const app = await world.app('http://127.0.0.1:3000');
  const certificate = await world.certificate('b.example.com');
  await world.domain(app, 'a.example.com', { redirect_to: 'b.example.com' });
  const domain = await world.domain(app, 'b.example.com', { certificate_id: certificate });
  assert.deepEqual((await routes.get(domain))?.delivery, [{ publisher: 'traefik-http', state: 'wanted' }]);
  await assert.rejects(routes.traefik!(), /not complete/);

  await routes.compose();
  const first = await routes.list({}, { limit: 1 });
  const second = await routes.list({}, { limit: 1, after: first[0]!.id });
  assert.deepEqual([...first, ...second].map(({ hosts }) => hosts[0]).sort(), ['a.example.com', 'b.example.com']);
  assert.deepEqual(await routes.list({}, { limit: 1, after: second[0]!.id }), []);
  assert.deepEqual((await routes.list({ prefix: 'b.' }, { limit: 9 })).length, 1);
  const { matcher, routers, delivery } = (await routes.get(domain))!;
  assert.equal(matcher, 'Host(`b.example.com`)');
  assert.deepEqual([routers[0]?.backend, routers[0]?.entrypoint], ['http://127.0.0.1:3000', 'websecure']);
  assert.equal(delivery[0]?.state, 'delivered');
  // One source with what is published: the router of the monitor is the router of the document.
  const { body } = await routes.traefik!();
  const document = JSON.parse(body) as { http: { routers: Record<string, { rule: string }> } };
  assert.equal(document.http.routers[routers[0]!.name]?.rule, routers[0]?.rule);

  await world.renew(certificate);
  assert.equal((await routes.get(domain))?.delivery[0]?.state, 'wanted');
});

test('what is shown to clients is looked at until it is right, and a wrong certificate is told', async (t) => {
  const { clock, world, store, sources, certificates, routes } = await opened(t);
  const certificate = await world.certificate('b.example.com');
  const domain = await world.domain(await world.app('http://127.0.0.1:3000'), 'b.example.com', {
    certificate_id: certificate,
  });
  await routes.compose();
  const shownAs = (leaf: Uint8Array): Shown => ({
    fingerprint: sha256Hex(leaf),
    serial: '01',
    issuerName: 'somebody else',
    notAfter: clock.now() + 86_400_000,
    selfSigned: false,
    above: [],
  });
  let shown = shownAs(Buffer.from('another certificate'));
  const asked: string[] = [];
  const watch = createServingWatch({
    store,
    sources,
    certificates,
    publisher: 'traefik-http',
    clock,
    log: silentLogger,
    probe: {
      async look(serverName) {
        asked.push(serverName);
        return shown;
      },
    },
  });
  const findings = createServingFindings({ db: store.db, sources, certificates, watches: [watch], clock });
  const abort = new AbortController();
  const running = watch.run(abort.signal);
  t.after(async () => {
    abort.abort();
    await running;
  });
  watch.delivered([certificate]);
  await clock.advance(1_000);
  assert.deepEqual(asked, ['b.example.com']);
  assert.match((await routes.get(domain))?.delivery[0]?.problem ?? '', /another certificate/);
  assert.match((await findings.of(certificate))[0]?.detail ?? '', /issued by somebody else/);
  // The place may still be loading it, so one look alone calls nobody.
  assert.deepEqual((await findings.standing(20)).findings, []);
  const [served] = await certificates.find([certificate]);
  const [leaf, ...above] = parsePem('CERTIFICATE', served!.chain);
  shown = { ...shownAs(leaf!), above: above.map((der) => sha256Hex(der)) };
  await clock.advance(3_000);
  assert.equal((await routes.get(domain))?.delivery[0]?.state, 'seen');
  assert.deepEqual(await findings.of(certificate), []);
  // Nothing differs, so the next look is the one at everything, and then one each hour.
  await clock.advance(600_000);
  assert.equal(asked.length, 3);
  shown = shownAs(Buffer.from('put in its place'));
  for (const pause of [3_600_000, 3_000, 10_000]) await clock.advance(pause);
  assert.equal(asked.length, 6);
  assert.deepEqual(
    (await findings.of(certificate)).map(({ name, publisher, kind }) => ({ name, publisher, kind })),
    [{ name: 'b.example.com', publisher: 'traefik-http', kind: 'differs' }],
  );
  const { findings: standing, names } = await findings.standing(20);
  assert.deepEqual([standing.length, names.get('traefik-http')], [1, 1]);
});
