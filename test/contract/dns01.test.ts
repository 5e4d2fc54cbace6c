import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createVirtualClock, type Fault, silentLogger } from '../../src/base/index.ts';
import { ask, createDnsClient } from '../../src/dns/index.ts';
import { createSealedSecretStore, createSealer } from '../../src/secrets/index.ts';
import { createDns01, createDnsCredentials } from '../../src/solvers/dns/index.ts';
import { openMemoryStore } from '../../src/store/index.ts';
import { startVendor, VENDORS, valuesAt } from '../fixtures/dns-vendors/index.ts';
import { serveZones } from '../fixtures/dns-vendors/serve-zones.ts';
import { startSmallNameServer } from '../fixtures/small-name-server.ts';

const HOUR = 3_600_000;
const NAME = '_acme-challenge.shop.test';

/** Virtual time that passes by itself whenever somebody waits for it. */
function hurriedClock() {
  const clock = createVirtualClock(Date.now());
  return Object.assign(clock, {
    sleep: async (ms: number, signal?: AbortSignal) => {
      signal?.throwIfAborted();
      clock.set(clock.now() + ms);
    },
  });
}

async function world(t: TestContext, more: { resolvers?: readonly string[]; disablePropagationCheck?: boolean } = {}) {
  const vendor = VENDORS.digitalocean(['shop.test', 'deep.shop.test']);
  const server = await startVendor(t, vendor);
  const nameServer = await serveZones(t, vendor.zones);
  const store = await openMemoryStore();
  t.after(() => store.close());
  const clock = hurriedClock();
  const secrets = createSealedSecretStore(store, createSealer([new Uint8Array(32).fill(1)]), clock);
  const dns = createDnsClient({
    system: [],
    resolvers: more.resolvers ?? [nameServer.address],
    nameServerPort: nameServer.port,
  });
  const context = { store, secrets, clock, log: silentLogger, ask, programs: '/nowhere', dns };
  const credentials = createDnsCredentials(context);
  const start = () => createDns01({ ...context, credentials, ...more });
  const create = (name: string, zones: string[] = []) =>
    credentials.create({ name, provider: vendor.provider, zones, fields: vendor.fields(server.endpoint) });
  return { vendor, server, store, clock, credentials, start, create, dns01: start() };
}

const challenges = [{ recordName: NAME, value: 'ours' }];

test('what a killed process wrote is removed by another one, and not before its time', async (t) => {
  const at = await world(t);
  await at.create('one');
  await at.dns01.present({ owner: 'certificate:1', challenges });
  assert.deepEqual(valuesAt(at.vendor.zones, NAME), ['ours']);
  const afterRestart = at.start();
  const due = await afterRestart.sweep();
  assert.ok(due !== undefined && due > at.clock.now());
  assert.deepEqual(valuesAt(at.vendor.zones, NAME), ['ours']);
  await at.clock.advance(HOUR + 1);
  assert.equal(await afterRestart.sweep(), undefined);
  assert.deepEqual(valuesAt(at.vendor.zones, NAME), []);
});

test('a record whose writing was never answered is found by its value and removed', async (t) => {
  const at = await world(t);
  await at.create('one');
  const { id } = await at.dns01.present({ owner: 'certificate:1', challenges });
  await at.store.write((tx) =>
    tx.updateTable('dns_record').set({ state: 'planned', provider_ref: null }).execute().then(),
  );
  await at.dns01.cleanUp(id);
  assert.deepEqual(valuesAt(at.vendor.zones, NAME), []);
});

test('a removal that fails is kept in mind, tried again, and holds the credential', async (t) => {
  const at = await world(t);
  const credential = await at.create('one');
  const { id } = await at.dns01.present({ owner: 'certificate:1', challenges });
  at.server.interrupt.push({ status: 403, json: { message: 'no longer' } });
  await at.dns01.cleanUp(id);
  const row = await at.store.db.selectFrom('dns_record').selectAll().executeTakeFirstOrThrow();
  assert.match(row.problem ?? '', /refuses the credential \(HTTP 403\): no longer/);
  await assert.rejects(at.credentials.remove(credential.id), { code: 'credential_in_use' });
  await at.clock.advance(row.due_at - at.clock.now());
  await at.dns01.sweep();
  assert.deepEqual(valuesAt(at.vendor.zones, NAME), []);
  await at.credentials.remove(credential.id);
});

test('when one of several values cannot be written, none is left', async (t) => {
  const at = await world(t);
  await at.create('one');
  await at.credentials.list();
  const many = ['a', 'b', 'c'].map((value) => ({ recordName: NAME, value }));
  const presenting = at.dns01.present({ owner: 'certificate:1', challenges: [...many] });
  // The first call of a presentation lists zones; the second writes.
  at.server.interrupt.push(
    { status: 200, json: { domains: [{ name: 'shop.test' }] } },
    { status: 422, json: { message: 'no' } },
  );
  await assert.rejects(presenting, { code: 'dns_provider_refused' });
  assert.deepEqual(valuesAt(at.vendor.zones, NAME), []);
  assert.deepEqual(await at.store.db.selectFrom('dns_record').selectAll().execute(), []);
});

test('the credential whose zone matches longest is taken, and its proof is renewed after a day', async (t) => {
  const at = await world(t);
  await at.create('wide', ['shop.test']);
  const deep = await at.create('deep', ['deep.shop.test']);
  assert.equal(await at.credentials.credentialFor('_acme-challenge.a.deep.shop.test'), deep.id);
  assert.equal(await at.credentials.credentialFor('elsewhere.test'), undefined);
  const proofs = () => at.server.calls.filter((call) => call === 'DELETE').length + at.server.calls.length;
  const before = proofs();
  await at.credentials.ready(deep.id, AbortSignal.timeout(5_000));
  assert.equal(proofs(), before);
  await at.clock.advance(24 * HOUR);
  at.server.interrupt.push({ status: 401, json: { message: 'expired' } });
  await assert.rejects(at.credentials.ready(deep.id, AbortSignal.timeout(5_000)), (error: Fault) => {
    assert.equal(error.code, 'dns_credential_unproven');
    assert.match(error.message, /credential deep failed its proof: .*\(HTTP 401\): expired/);
    return true;
  });
  assert.equal((await at.credentials.get(deep.id))?.validation, 'failed');
  assert.equal((await at.credentials.validate(deep.id)).validation, 'valid');
});

test('a name outside the zones that a credential is bound to is refused before anything is written', async (t) => {
  const at = await world(t);
  const deep = await at.create('deep', ['deep.shop.test']);
  const before = at.server.calls.length;
  const outside = at.dns01.present({ owner: 'certificate:1', challenges, credentialId: deep.id });
  await assert.rejects(outside, { code: 'dns_credential_outside' });
  assert.equal(at.server.calls.length, before);
});

test('nothing of a credential comes out, and nothing rests in clear', async (t) => {
  const at = await world(t);
  await at.create('one');
  const { api_token = '' } = at.vendor.fields('x');
  assert.ok(!JSON.stringify(await at.credentials.list()).includes(api_token));
  const rows = await Promise.all([
    at.store.db.selectFrom('dns_credential').selectAll().execute(),
    at.store.db.selectFrom('secret').selectAll().execute(),
    at.store.db.selectFrom('change_log').selectAll().execute(),
  ]);
  assert.ok(!Buffer.from(JSON.stringify(rows)).includes(api_token));
  assert.ok(!Buffer.concat(rows[1].map(({ envelope }) => Buffer.from(envelope))).includes(api_token));
  await assert.rejects(at.create('one'), { code: 'name_taken' });
});

test('a resolver of another view is waited for a little, said, and does not stand in the way', async (t) => {
  const internal = await startSmallNameServer(t, ({ name, type }) => {
    const zone = 'shop.test';
    if (type === 'SOA')
      return { answers: [{ type: 'SOA', name: zone, data: { mname: 'ns.shop.test', rname: 'h.shop.test' } }] };
    if (type === 'NS') return { answers: [{ type: 'NS', name, data: 'ns.shop.test' }] };
    if (type === 'A') return { answers: [{ type: 'A', name, data: '127.0.0.1' }] };
    return { rcode: 'NXDOMAIN' };
  });
  const at = await world(t, { resolvers: [internal.address] });
  await at.create('one');
  const steps: string[] = [];
  const onStep = (words: string) => void steps.push(words);
  const presentation = await at.dns01.present({ owner: 'certificate:1', challenges }, { onStep });
  const report = await at.dns01.waitForPropagation(presentation, { onStep });
  assert.ok(report.agreed);
  const expected = `your resolver ${internal.address} answers NXDOMAIN for ${NAME}; the authoritative servers answer the value`;
  assert.equal(report.splitHorizon, expected);
  assert.deepEqual(
    report.answers.map(({ role, outcome }) => [role, outcome]),
    [
      ['authoritative', 'present'],
      ['resolver', 'absent'],
    ],
  );
  assert.deepEqual(steps, [
    `wrote TXT ${NAME} in zone shop.test`,
    'every authoritative server answers the value',
    expected,
  ]);
});

test('a resolver that answers SERVFAIL is told after its first answer, with what mends it', async (t) => {
  const internal = await startSmallNameServer(t, () => ({ rcode: 'SERVFAIL' }));
  const at = await world(t, { resolvers: [internal.address] });
  await at.create('one');
  const begun = at.clock.now();
  const steps: { after: number; words: string }[] = [];
  const onStep = (words: string) => void steps.push({ after: at.clock.now() - begun, words });
  const presentation = await at.dns01.present({ owner: 'certificate:1', challenges }, { onStep });
  await assert.rejects(at.dns01.waitForPropagation(presentation, { onStep }), { code: 'dns_not_propagated' });
  const [, , told, ...more] = steps;
  assert.deepEqual([told?.after, more], [0, []], 'at once, and once');
  assert.match(
    told?.words ?? '',
    /^waiting, up to 300 s in all: could not find the zone of _acme-challenge\.shop\.test/,
  );
  assert.match(told?.words ?? '', /SERVFAIL.*split horizon.*GATEHOUSE_ACME_DNS_RESOLVERS=/);
});

test('a value that never appears ends in a fault that says who answered what', async (t) => {
  const at = await world(t);
  await at.create('one');
  const presentation = await at.dns01.present({ owner: 'certificate:1', challenges });
  for (const zone of at.vendor.zones) zone.records = [];
  const steps: string[] = [];
  const onStep = (words: string) => void steps.push(words);
  await assert.rejects(at.dns01.waitForPropagation(presentation, { onStep }), (error: Fault) => {
    assert.equal(steps.length, 1, steps.join());
    assert.match(steps[0]!, /^waiting, up to 300 s in all: 127\.0\.0\.1:\d+ answers no TXT record for _acme-challenge/);
    assert.equal(error.code, 'dns_not_propagated');
    assert.match(
      error.message,
      /^after 3\d\d s 127\.0\.0\.1:\d+ answers no TXT record for _acme-challenge\.shop\.test/,
    );
    return error.details.party === 'dns' && error.details.retry === 'backoff';
  });
  const unchecked = await world(t, { disablePropagationCheck: true });
  await unchecked.create('one');
  const other = await unchecked.dns01.present({ owner: 'certificate:1', challenges });
  assert.ok((await unchecked.dns01.waitForPropagation(other)).skipped);
});
