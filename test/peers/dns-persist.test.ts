import assert from 'node:assert/strict';
import { Resolver } from 'node:dns/promises';
import { type TestContext, test } from 'node:test';
import { type Clock, silentLogger, systemClock } from '../../src/base/index.ts';
import { dnsSolvers } from '../../src/solvers/dns/index.ts';
import { accountOfIssuer } from '../../src/store/issuer-accounts.ts';
import { startAcmeServer } from '../fixtures/acme-server.ts';
import { createDns01World, txtValues } from '../fixtures/dns01.ts';
import { startEngine, until } from '../fixtures/engine.ts';
import { loopbackZone, startBind } from '../fixtures/name-servers.ts';
import { until as eventually } from '../fixtures/until.ts';

const DAY = 24 * 3600_000;
const PERSISTENT = '_validation-persist.shop.test';

/** Our engine, our ACME server as a stranger's CA, and BIND between them. */
async function world(t: TestContext, challenges: readonly string[]) {
  const server = await startBind(t, { 'shop.test': loopbackZone('shop.test') });
  if (server === undefined) return undefined;
  const time = { ahead: 0 };
  const clock: Clock = { now: () => Date.now() + time.ahead, sleep: systemClock.sleep };
  const validation = { resolvers: [server.address], challenges, caa_identities: ['ca.example'] };
  const profile = { validation };
  const ca = await startAcmeServer(t, { clock, profile });
  await ca.acme.administration.createProfile({ id: 'second', ...profile }, 'system');
  const dns = await createDns01World(t, {
    resolvers: [server.address],
    nameServerPort: server.port,
    recordClock: clock,
  });
  const { id: dnsCredentialId } = await dns.credentials.create({
    name: 'production',
    provider: 'rfc2136',
    zones: ['shop.test'],
    fields: { nameserver: server.address, tsig_name: server.tsig.name, tsig_secret: server.tsig.secret },
  });
  const { store, secrets } = dns;
  const solvers = {
    edge: [],
    dns: (wish: { names: readonly string[] }) => dnsSolvers({ ...dns, log: silentLogger }, wish),
  };
  const settings = { issuers: ['ours'], graceMs: 0 };
  const running = await startEngine(t, { store, secrets, clock, solvers, settings });
  const useProfile = (path: string) =>
    running.engine.issuers.put({ id: 'ours', directory: `${ca.origin}${path}`, caCertificate: ca.rootPem });
  await useProfile('/acme/directory');
  const { certificates } = running.engine;

  return {
    ...running,
    dns,
    time,
    useProfile,
    dnsCredentialId,
    values: () => txtValues(dns.dns, server.address, PERSISTENT),
    accountUrl: async () => (await accountOfIssuer(store.db, 'ours'))?.url,
    /** Goes up with every change of the zone. */
    async serial() {
      const resolver = new Resolver();
      resolver.setServers([server.address]);
      return (await resolver.resolveSoa('shop.test')).serial;
    },
    /** Renews after these days, in which no authorization lasts; answers the types by which names were validated. */
    async renewAfter(id: string, days: number) {
      const before = await certificates.get(id);
      const seen = (await certificates.events(id, 0, 1000)).at(-1)!.seq;
      time.ahead += days * DAY;
      await certificates.renew(id);
      await until(running, id, ({ status, served }) => status === 'valid' && served?.id !== before?.served?.id);
      return validations(await certificates.events(id, seen, 1000));
    },
  };
}

const validations = (events: readonly { readonly step: string; readonly detail: string }[]) =>
  events.filter(({ step }) => step === 'validation').map(({ detail }) => detail.split(' ').at(-1));
const isValid = ({ status }: { status: string }) => status === 'valid';

test('a record of dns-persist-01 is written once, and lives as long as it is needed', async (t) => {
  const at = await world(t, ['dns-persist-01']);
  if (at === undefined) return;
  const { certificates, issuers } = at.engine;
  const wish = { names: ['*.shop.test', 'shop.test'], dnsCredentialId: at.dnsCredentialId };
  const id = await certificates.ensure({ ...wish, challenge: 'dns-persist-01', reference: 'person:1' });
  await until(at, id, isValid);
  const account = await at.accountUrl();
  const grant = `ca.example; accounturi=${account}; policy=wildcard; persistUntil=`;
  const [first = '', ...more] = await at.values();
  assert.deepEqual(more, []);
  assert.ok(first.startsWith(grant), first);
  const serial = await at.serial();

  await t.test('a renewal is validated, and changes nothing in DNS', async () => {
    assert.deepEqual(await at.renewAfter(id, 2), ['dns-persist-01', 'dns-persist-01']);
    await at.dns.dns01.sweep();
    assert.equal(await at.serial(), serial);
  });
  await t.test("nor does a new account key: the account's URL stays", async () => {
    await issuers.rollOverKey('ours');
    assert.equal(await at.accountUrl(), account);
    assert.deepEqual(await at.renewAfter(id, 2), ['dns-persist-01', 'dns-persist-01']);
    assert.equal(await at.serial(), serial);
  });
  await t.test('one that somebody removed is written again', async () => {
    const provider = await at.dns.credentials.open(at.dnsCredentialId);
    const zone = { name: 'shop.test', ref: 'shop.test' };
    await provider.remove(zone, { name: PERSISTENT, value: first }, undefined, AbortSignal.timeout(5_000));
    assert.deepEqual(await at.values(), []);
    await at.renewAfter(id, 2);
    assert.deepEqual(await at.values(), [first]);
  });
  await t.test('in its last third it is replaced by one that ends later', async () => {
    await at.renewAfter(id, 250);
    const [value = '', ...others] = await at.values();
    assert.deepEqual(others, []);
    assert.ok(value.startsWith(grant) && value > first, value);
  });
  await t.test("another account's takes its place", async () => {
    await at.useProfile('/acme/profile/second/directory');
    await at.renewAfter(id, 2);
    assert.notEqual(await at.accountUrl(), account);
    const [value = '', ...others] = await at.values();
    assert.deepEqual(others, []);
    assert.ok(value.startsWith(`ca.example; accounturi=${await at.accountUrl()}; policy=wildcard; `), value);
  });
  await t.test('it goes with the last certificate that needs it', async () => {
    const other = await certificates.ensure({
      names: ['shop.test'],
      dnsCredentialId: at.dnsCredentialId,
      challenge: 'dns-persist-01',
      reference: 'person:2',
    });
    await until(at, other, isValid);
    for (const [gone, reference, left] of [
      [id, 'person:1', 1],
      [other, 'person:2', 0],
    ] as const) {
      await certificates.release(reference);
      await eventually('removed', async () => (await certificates.get(gone)) === undefined);
      at.time.ahead += DAY;
      await at.dns.dns01.sweep();
      assert.equal((await at.values()).length, left);
    }
    assert.deepEqual(await at.store.db.selectFrom('dns_record').selectAll().execute(), []);
  });
});

test('dns-account-01 is answered at the name of the account, and its record removed', async (t) => {
  const at = await world(t, ['dns-account-01', 'dns-persist-01']);
  if (at === undefined) return;
  const { certificates } = at.engine;
  const wish = { dnsCredentialId: at.dnsCredentialId, reference: 'person:1' };
  const before = await at.serial();
  const id = await certificates.ensure({ ...wish, names: ['a.shop.test'], challenge: 'dns-account-01' });
  await until(at, id, isValid);
  assert.deepEqual(validations(await certificates.events(id, 0, 1000)), ['dns-account-01']);
  assert.notEqual(await at.serial(), before);
  assert.deepEqual(await at.store.db.selectFrom('dns_record').selectAll().execute(), []);
  // Unasked, no standing right is given where the CA is content with less.
  const auto = await certificates.ensure({ ...wish, names: ['*.shop.test'] });
  await until(at, auto, isValid);
  assert.deepEqual(validations(await certificates.events(auto, 0, 1000)), ['dns-account-01']);
  assert.deepEqual(await at.values(), []);
});

test('a CA that names another place as our account gets no record that stays', async (t) => {
  const at = await world(t, ['dns-persist-01']);
  if (at === undefined) return;
  const { certificates } = at.engine;
  const id = await certificates.ensure({
    names: ['shop.test'],
    dnsCredentialId: at.dnsCredentialId,
    reference: 'person:1',
  });
  await until(at, id, isValid);
  const good = await at.values();
  for (const accountUrl of ['https://victim.example/acct/1', 'https://victim.example/acct/2']) {
    const wish = { domain: 'shop.test', issuers: ['victim.example'], accountUrl, wildcard: false };
    await assert.rejects(at.dns.persistent.hold(wish, {}), { code: 'ca_answer_unexpected' });
    assert.deepEqual(await at.values(), good);
    // Nor when that is what the CA said at registration.
    await at.store.write((tx) =>
      tx.updateTable('issuer_account').set({ url: 'https://victim.example/acct/2' }).execute(),
    );
  }
});

test('where a CA knows nothing else in DNS, a record that stays is written unasked', async (t) => {
  const at = await world(t, ['http-01', 'dns-persist-01']);
  if (at === undefined) return;
  const { certificates } = at.engine;
  const id = await certificates.ensure({
    names: ['*.shop.test'],
    dnsCredentialId: at.dnsCredentialId,
    reference: 'person:1',
  });
  await until(at, id, isValid);
  assert.equal((await at.values()).length, 1);
  at.time.ahead += DAY;
  await at.dns.dns01.sweep();
  assert.equal((await at.values()).length, 1);
});
