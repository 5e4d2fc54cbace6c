import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTestControl } from '../../test/fixtures/control.ts';
import { until } from '../../test/fixtures/until.ts';
import { createVirtualClock } from '../base/index.ts';
import { SYSTEM } from '../control/index.ts';
import { appById } from '../store/apps.ts';
import {
  CLAIM_LASTS_MS,
  type DelegatedCertificate,
  type DnsViews,
  noteDelegated,
  proofName,
  proofValue,
} from './index.ts';

const HERE = '203.0.113.5';
const NAME = 'shop.example.com';
const DAY = 86_400_000;

/** A zone that the test writes: addresses and aliases by name, TXT values by name. */
function zoneForTest() {
  const hosts = new Map<string, { addresses?: string[]; cname?: string[] }>();
  const txt = new Map<string, string[]>();
  let looks = 0;
  const dns: DnsViews = {
    async look(name) {
      looks++;
      const found = hosts.get(name);
      const answer = {
        view: 'system' as const,
        server: '192.0.2.53',
        addresses: found?.addresses ?? [],
        cname: found?.cname ?? [],
      };
      return { answers: [found === undefined ? { ...answer, problem: 'NXDOMAIN' } : answer], caa: { records: [] } };
    },
    txt: async (name) => txt.get(name) ?? [],
  };
  return { dns, hosts, txt, looks: () => looks };
}

async function platform() {
  const clock = createVirtualClock();
  const zone = zoneForTest();
  const test = await createTestControl(clock, { dns: zone.dns, addresses: [HERE] });
  for (const id of ['a', 'b']) await test.control.apps.create(SYSTEM, { id, upstreams: ['http://127.0.0.1:3000'] });
  test.control.start();
  const add = (app: string, domain = NAME) => test.control.domains.add(SYSTEM, app, { domain });
  const get = (app: string, domain = NAME) => test.control.domains.get(SYSTEM, app, domain);
  const prove = async (app: string) => {
    const { proof_token } = (await appById(test.store.db, app))!;
    zone.txt.set(proofName(NAME), [proofValue(proof_token)]);
  };
  return { ...test, clock, zone, add, get, prove, stop: () => test.control.stop() };
}

test('a domain waits for DNS with growing pauses, and goes on by itself when it becomes right', async () => {
  const { add, get, clock, zone, issued, stop } = await platform();
  const { domain } = await add('a');
  assert.equal(domain.tls_status, 'pending');
  assert.deepEqual(domain.dns.expected.map(({ type, value }) => [type, value]).slice(0, 1), [
    // The platform's own names are under localhost here, which is in no DNS.
    ['A', HERE],
  ]);
  await clock.advance(1_200_000);
  const waiting = await get('a');
  assert.deepEqual([waiting.dns.state, waiting.certificate], ['missing', null]);
  assert.match(waiting.why.summary, /Waiting for DNS/);
  assert.match(waiting.troubleshooting[0]!.symptom, /more than 5 minutes/);
  assert.ok(zone.looks() > 5 && zone.looks() < 15, `${zone.looks()} looks in twenty minutes`);
  zone.hosts.set(NAME, { addresses: [HERE] });
  await clock.advance(1_200_000);
  const found = await get('a');
  assert.deepEqual([found.dns_configured, found.claim.proof], [true, 'address']);
  issued(found.certificate!.id);
  assert.equal((await get('a')).tls_status, 'issued');
  await stop();
});

test('verify looks at once', async () => {
  const { add, get, control, clock, zone, stop } = await platform();
  await add('a');
  await clock.advance(5_000);
  zone.hosts.set(NAME, { cname: ['app-a.apps.localhost'], addresses: [HERE] });
  const verified = await control.domains.verify(SYSTEM, 'a', NAME);
  assert.deepEqual([verified.dns_configured, verified.claim.proof], [true, 'cname']);
  assert.notEqual((await get('a')).certificate, null);
  await stop();
});

test('a claim that nothing proves lapses after seven days, and anybody may claim the name', async () => {
  const { add, get, clock, stop, store } = await platform();
  await add('a');
  await assert.rejects(add('b'), (error: { code?: string }) => error.code === 'domain_taken');
  clock.set(clock.now() + CLAIM_LASTS_MS);
  await clock.advance(60_000);
  const lapsed = await get('a');
  assert.deepEqual([lapsed.claim.state, lapsed.routed, lapsed.certificate], ['lapsed', false, null]);
  await add('b');
  assert.equal((await get('b')).claim.state, 'unproved');
  await assert.rejects(get('a'), (error: { code?: string }) => error.code === 'domain_not_found');
  const actions = await store.db.selectFrom('audit_event').select('action').where('actor', '=', 'system').execute();
  assert.ok(actions.some(({ action }) => action === 'domain.lapse'));
  await stop();
});

test('a second app takes a name over only by what the zone says', async () => {
  const { add, get, clock, zone, prove, stop } = await platform();
  zone.hosts.set(NAME, { addresses: [HERE] });
  await add('a');
  await clock.advance(30_000);
  assert.equal((await get('a')).claim.state, 'proved');
  // That the name leads to the platform says nothing about which app its owner meant.
  await assert.rejects(add('b'), /belongs to another app/);
  await prove('b');
  const { domain } = await add('b');
  assert.deepEqual([domain.app.id, domain.claim.proof], ['b', 'txt']);
  // And back again is refused while the record names b.
  await assert.rejects(add('a'), /belongs to another app/);
  await stop();
});

test("a name that is an alias of another app's target is not served for this one", async () => {
  const { add, get, clock, zone, stop } = await platform();
  zone.hosts.set(NAME, { cname: ['app-b.apps.localhost'], addresses: [HERE] });
  await add('a');
  await clock.advance(30_000);
  const domain = await get('a');
  assert.deepEqual([domain.dns.state, domain.certificate, domain.claim.state], ['elsewhere', null, 'unproved']);
  assert.match(domain.dns.summary, /another app/);
  await stop();
});

test('a name can be certified before its traffic moves', async () => {
  const { control, get, zone, prove, clock, stop } = await platform();
  zone.hosts.set(NAME, { addresses: ['198.51.100.7'] });
  await prove('a');
  const { domain } = await control.domains.add(SYSTEM, 'a', { domain: NAME, route: false });
  assert.equal(domain.routed, false);
  await clock.advance(30_000);
  const proved = await get('a');
  assert.deepEqual([proved.claim.proof, proved.dns.state], ['txt', 'elsewhere']);
  const routed = await control.domains.change(SYSTEM, 'a', NAME, { route: true });
  assert.equal(routed.routed, true);
  await stop();
});

test('an issued certificate proves the claim; removal withdraws everything', async () => {
  const { add, get, clock, zone, issued, views, control, store, stop } = await platform();
  zone.hosts.set(NAME, { addresses: ['104.16.1.1'] });
  await add('a');
  await clock.advance(30_000);
  assert.equal((await get('a')).dns.cdn, 'Cloudflare');
  assert.match((await get('a')).troubleshooting[1]?.likely_cause ?? '', /content delivery network/);
  zone.hosts.set(NAME, { addresses: [HERE] });
  const { certificate } = await control.domains.verify(SYSTEM, 'a', NAME);
  issued(certificate!.id);
  await control.domains.remove(SYSTEM, 'a', NAME);
  assert.deepEqual(views.get(certificate!.id)?.references, []);
  assert.equal(await store.db.selectFrom('domain').selectAll().where('name', '=', NAME).executeTakeFirst(), undefined);
  await stop();
});

test('an internationalized name is one name in both forms', async () => {
  const { add, stop } = await platform();
  const first = await add('a', 'bücher.example.com');
  const second = await add('a', 'XN--BCHER-KVA.example.com.');
  assert.deepEqual([first.domain.domain, first.domain.unicode], ['xn--bcher-kva.example.com', 'bücher.example.com']);
  assert.deepEqual([second.domain.id, second.created], [first.domain.id, false]);
  await stop();
});

test('ten claims of one name at once: one app holds it', async () => {
  const { add, store, stop } = await platform();
  const outcomes = await Promise.allSettled(Array.from({ length: 10 }, (_, i) => add(i % 2 === 0 ? 'a' : 'b')));
  const rows = await store.db.selectFrom('domain').selectAll().where('name', '=', NAME).execute();
  assert.equal(rows.length, 1);
  const winners = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? outcome.value.domain.app.id : []));
  assert.deepEqual([...new Set(winners)], [rows[0]!.app_id]);
  assert.ok(rows[0]!.lapses_at! - rows[0]!.created_at === 7 * DAY);
  await stop();
});

test("where certificates are left to a cluster, a domain's status is the cluster's, with its words and its cause", async () => {
  const clock = createVirtualClock();
  const restarted: string[] = [];
  const { store, control, views } = await createTestControl(clock, {
    delegated: true,
    restartDelegated: async (id) => void restarted.push(id),
  });
  await control.apps.create(SYSTEM, { id: 'a', upstreams: ['http://127.0.0.1:3000'] });
  const { domain } = await control.domains.add(SYSTEM, 'a', { domain: 'blog.localhost' });
  assert.equal(views.size, 0);
  assert.equal(domain.tls_status, 'pending');
  const note = (status: Omit<DelegatedCertificate, 'name' | 'namespace'> | undefined) =>
    noteDelegated({ store, clock }, domain.id, status && { name: 'cert-a-blog', namespace: 'paas-apps', ...status });
  const get = () => control.domains.get(SYSTEM, 'a', 'blog.localhost');

  const limited = 'order failed: 429 urn:ietf:params:acme:error:rateLimited: too many certificates';
  await note({
    status: 'failed',
    reason: 'Failed',
    problems: [{ kind: 'Order', name: 'o', detail: limited }],
    failedAttempts: 2,
  });
  const failed = await get();
  assert.equal(failed.tls_status, 'failed');
  assert.equal(failed.why.problem?.type, 'urn:ietf:params:acme:error:rateLimited');
  assert.equal(failed.why.attempts, 2);
  assert.match(failed.troubleshooting[0]!.likely_cause, /rate limit/);
  assert.match(failed.troubleshooting[0]!.recovery, /kubectl describe certificate -n paas-apps cert-a-blog/);
  assert.deepEqual(restarted, []);
  await control.domains.verify(SYSTEM, 'a', 'blog.localhost');
  assert.deepEqual(restarted, [domain.id]);

  await note({ status: 'issued', problems: [], failedAttempts: 0, renewAt: clock.now() + DAY });
  const issued = await get();
  assert.equal(issued.tls_status, 'issued');
  assert.equal(issued.why.problem, null);
  assert.equal(issued.cluster_certificate?.name, 'cert-a-blog');
  await control.domains.verify(SYSTEM, 'a', 'blog.localhost');
  assert.equal(restarted.length, 1);
});

test('what CAA, DNSSEC and views that differ mean is said with what to do about it', async () => {
  const clock = createVirtualClock();
  const dns: DnsViews = {
    async look(_name, _signal, wish) {
      return {
        answers: [],
        caa: {
          records: ['example.com. CAA 0 issue "other.example"'],
          allows: false,
          detail: `${wish?.issuers?.[0]} may not issue`,
        },
        splitHorizon: 'your resolver answers 10.0.0.1; the authoritative servers answer 203.0.113.5',
        dnssec: 'broken',
      };
    },
    txt: async () => [],
  };
  const { control } = await createTestControl(clock, { dns, addresses: [HERE] });
  await control.apps.create(SYSTEM, { id: 'a', upstreams: ['http://127.0.0.1:3000'] });
  await control.domains.add(SYSTEM, 'a', { domain: NAME });
  await control.domains.verify(SYSTEM, 'a', NAME);
  const { dns: shown, troubleshooting } = await control.domains.get(SYSTEM, 'a', NAME);
  assert.equal(shown.caa.allows, false);
  assert.equal(shown.dnssec, 'broken');
  for (const symptom of [/^CAA: /, /views differ/, /validating resolvers refuse/])
    assert.ok(
      troubleshooting.some((one) => symptom.test(one.symptom) && one.recovery.length > 10),
      String(symptom),
    );
});

test("an app's own name is covered by the wildcard where a DNS credential allows, and has its own where not", async () => {
  for (const [credential, names] of [
    ['cred_1', ['*.apps.localhost']],
    [undefined, ['app-a.apps.localhost']],
  ] as const) {
    const { control, views } = await createTestControl(createVirtualClock(), {
      credentialFor: (name) => (name === '*.apps.localhost' ? credential : undefined),
    });
    for (const id of ['a', 'b']) await control.apps.create(SYSTEM, { id, upstreams: ['http://127.0.0.1:3000'] });
    control.start();
    const certificate = async (id: string) =>
      (await control.domains.get(SYSTEM, id, `app-${id}.apps.localhost`)).certificate;
    await until('wished', async () => (await certificate('a')) !== null && (await certificate('b')) !== null);
    assert.deepEqual((await certificate('a'))?.names, names);
    // One wildcard for all apps.
    assert.equal(views.size, credential === undefined ? 2 : 1);
    await control.stop();
  }
});
