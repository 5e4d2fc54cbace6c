import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { selfSigned } from '../../test/fixtures/pebble.ts';
import { createVirtualClock, Fault, silentLogger } from '../base/index.ts';
import { createSealedSecretStore, createSealer } from '../secrets/index.ts';
import { openMemoryStore } from '../store/index.ts';
import type { ChainFacts } from '../x509/index.ts';
import { createCertificateEngine } from './index.ts';
import type { AcmePort } from './ports.ts';
import { defaultLimits } from './quota-ledger.ts';

// What the CAs here issue is never looked into.
const PEM = selfSigned().chain;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

type Connected = ReturnType<AcmePort['connect']>;
type Asked = { ca: string; replaces?: string };

/** An engine whose CAs do as the test says; `asked` lists what they were asked. */
async function startEngine(t: TestContext, ca: { down?: Set<string>; window?: () => { start: number; end: number } }) {
  const clock = createVirtualClock();
  const store = await openMemoryStore();
  const asked: Asked[] = [];
  const revoked: string[] = [];
  let serial = 0;
  const acme: AcmePort = {
    connect: ({ directory }) => {
      const id = new URL(directory).hostname.split('.')[0]!;
      const client: Partial<Connected> = {
        directory: async () => ({
          newNonce: '',
          newAccount: '',
          newOrder: '',
          revokeCert: '',
          keyChange: '',
          ...(ca.window && { renewalInfo: 'x' }),
        }),
        register: async (key) => ({ url: id, key, thumbprint: id }),
        renewalInfo: async () => ca.window && { ...ca.window(), askAgainAt: clock.now() + 6 * HOUR },
        revoke: async () => void revoked.push(id),
        close: async () => {},
      };
      return client as Connected;
    },
    async obtain({ account, replaces, names }) {
      asked.push({ ca: account.url, ...(replaces !== undefined && { replaces }) });
      if (ca.down?.has(account.url))
        throw new Fault({ code: 'ca_unreachable', detail: 'no route', party: 'network', retry: 'backoff' });
      const hex = (++serial).toString(16).padStart(2, '0');
      const leaf = {
        serial: Buffer.from(hex, 'hex'),
        authorityKeyIdentifier: Buffer.from('a'),
      } as unknown as ChainFacts['leaf'];
      const text = {
        pem: PEM,
        serial: hex,
        fingerprint: hex,
        keyDigest: hex,
        issuerName: account.url,
        topIssuerName: '',
      };
      const chain = { leaf, names, ...text, notBefore: clock.now(), notAfter: clock.now() + 90 * DAY };
      return { chain, orderUrl: 'x', replaced: replaces !== undefined };
    },
  };
  const secrets = createSealedSecretStore(store, createSealer([randomBytes(32)]), clock);
  const engine = createCertificateEngine(
    { store, secrets, clock, log: silentLogger, acme, solvers: { edge: [] } },
    { issuers: ['one', 'two'], pollMs: 10 * HOUR },
  );
  await engine.prepare([
    { id: 'one', directory: 'https://one.example/dir' },
    { id: 'two', directory: 'https://two.example/dir' },
    { id: 'trial', directory: 'https://trial.example/dir', staging: true },
  ]);
  const ended = new AbortController();
  const running = engine.run(ended.signal);
  t.after(async () => {
    ended.abort(new Error('over'));
    await running;
    await store.close();
  });
  const settled = async (id: string, status: string) => {
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve));
      const view = await engine.certificates.get(id);
      const row = await store.db
        .selectFrom('certificate')
        .select('lease_until')
        .where('id', '=', id)
        .executeTakeFirst();
      if (view?.status === status && row?.lease_until === 0) return view;
    }
  };
  return { engine, clock, store, asked, revoked, settled };
}

test('an issuer that is down is passed over for the next, left alone meanwhile, and the record says so', async (t) => {
  const at = await startEngine(t, { down: new Set(['one']) });
  const { certificates, issuers } = at.engine;
  const id = await certificates.ensure({ names: ['a.example.com'], reference: 'domain:1' });
  const { served } = await at.settled(id, 'valid');
  assert.equal(served?.issuer, 'two');
  const words = (await certificates.events(id, 0, 100)).map(({ detail }) => detail);
  assert.ok(words.includes('one: no route; trying the next issuer'), words.join('\n'));
  assert.match((await issuers.get('one'))?.heldBecause ?? '', /no route/);
  const other = await certificates.ensure({ names: ['b.example.com'], reference: 'domain:2' });
  await at.settled(other, 'valid');
  assert.deepEqual(
    at.asked.map(({ ca }) => ca),
    ['one', 'two', 'two'],
  );
});

test('an order under way outlives that its issuer is left alone, and takes of the quota only once', async (t) => {
  const down = new Set(['one']);
  const at = await startEngine(t, { down });
  const { certificates, issuers } = at.engine;
  const change = (values: object) => at.store.db.updateTable('issuer').set(values).where('id', '=', 'one').execute();
  await change({ limits: defaultLimits });
  const wish = { names: ['a.example.com'], issuers: ['one'], reference: 'domain:1' };
  const id = await certificates.ensure(wish);
  const until = async (is: () => Promise<boolean>) => {
    while (!(await is())) await new Promise((resolve) => setImmediate(resolve));
  };
  await at.settled(id, 'failed');
  for (let outage = 1; outage <= 3; outage++) {
    // Another certificate found it down.
    await change({ hold_until: at.clock.now() + HOUR, hold_problem: '{"detail":"no route","count":1}' });
    await at.store.db
      .updateTable('certificate')
      .set({ problem: null, next_attempt_at: at.clock.now() })
      .where('id', '=', id)
      .execute();
    certificates.wake();
    await until(async () => /left alone/.test((await certificates.get(id))?.summary ?? ''));
    await change({ hold_until: null });
    await certificates.renew(id);
    await until(async () => at.asked.length > outage);
    await at.settled(id, 'failed');
  }
  const taken = await issuers.quota('one', wish.names);
  assert.equal(taken.find(({ limit }) => limit === 'certificates for exactly these names')?.used, 1);
  const keys = await at.store.db.selectFrom('secret').select('path').where('path', 'like', 'certificates/%').execute();
  assert.equal(keys.length, 1);
  down.clear();
  await change({ hold_until: null });
  await certificates.renew(id);
  assert.equal((await at.settled(id, 'valid')).served?.issuer, 'one');
});

test('a person says now: asked at once where that may help, and told what stands in the way and until when where not', async (t) => {
  const down = new Set(['one']);
  const at = await startEngine(t, { down });
  const { certificates } = at.engine;
  const change = (values: object) => at.store.db.updateTable('issuer').set(values).where('id', '=', 'one').execute();
  const id = await certificates.ensure({ names: ['a.example.com'], issuers: ['one'], reference: 'domain:1' });
  await at.settled(id, 'failed');
  // Left alone because it was down: that is our guess, and a person may know better.
  assert.ok((await at.engine.issuers.get('one'))?.heldUntil !== undefined);
  await certificates.renew(id);
  await at.settled(id, 'failed');
  while (at.asked.length < 2) await new Promise((resolve) => setImmediate(resolve));
  await at.settled(id, 'failed');

  // It named a time itself.
  const until = at.clock.now() + 5 * HOUR;
  await change({ hold_until: until, hold_problem: '{"detail":"service busy","count":1,"asked":true}' });
  await certificates.renew(id);
  const told = await certificates.get(id);
  assert.match(told!.summary, /one asked for a pause: service busy/);
  assert.equal(told!.nextAttemptAt, until);
  assert.equal(at.asked.length, 2);

  // Its limit for these names is used up for longer; then it is tried at the first moment.
  await change({ hold_until: null, hold_problem: null, limits: defaultLimits });
  await at.store.write((tx) => tx.updateTable('certificate').set({ open_order: null }).execute());
  const full_at = at.clock.now() + 7 * DAY;
  const key = 'a.example.com';
  await at.store.write((tx) =>
    tx.insertInto('quota_bucket').values({ issuer_id: 'one', limit_id: 'same-names', key, full_at }).execute(),
  );
  await certificates.renew(id);
  const waiting = await certificates.get(id);
  assert.match(waiting!.summary, /one: all 5 certificates for exactly these names \(a\.example\.com\) are used up/);
  const events = await certificates.events(id, 0, 100);
  assert.match(events.at(-1)!.detail, /somebody asks for it now; .* are used up, so it is tried at /);
  assert.equal(at.asked.length, 2);
  down.clear();
  await at.clock.advance(waiting!.nextAttemptAt! - at.clock.now());
  assert.equal((await at.settled(id, 'valid')).served?.issuer, 'one');
});

test('a window that the CA moves to the past means now, and the order says what it replaces', async (t) => {
  let window = { start: Date.UTC(2026, 1, 20), end: Date.UTC(2026, 1, 21) };
  const at = await startEngine(t, { window: () => window });
  const { certificates } = at.engine;
  const id = await certificates.ensure({ names: ['a.example.com'], reference: 'domain:1' });
  const first = await at.settled(id, 'valid');
  assert.ok(first.renewAt! >= window.start && first.renewAt! <= window.end, first.summary);
  window = { start: at.clock.now() - 2 * HOUR, end: at.clock.now() - HOUR };
  await at.clock.advance(7 * HOUR);
  const second = await at.settled(id, 'valid');
  assert.notEqual(second.served?.id, first.served?.id);
  assert.deepEqual(at.asked[1], { ca: 'one', replaces: 'YQ.AQ' });
});

test('staging and production never mix', async (t) => {
  const at = await startEngine(t, {});
  const mixed = at.engine.certificates.ensure({
    names: ['a.example.com'],
    issuers: ['one', 'trial'],
    reference: 'x:1',
  });
  await assert.rejects(mixed, /staging and production issuers never mix/);
});

test('nothing refers to it any more: not renewed, and gone after the grace time', async (t) => {
  const at = await startEngine(t, {});
  const { certificates } = at.engine;
  const id = await certificates.ensure({ names: ['a.example.com'], reference: 'domain:1' });
  await at.settled(id, 'valid');
  await certificates.release('domain:1');
  assert.match((await at.settled(id, 'valid')).summary, /Nothing refers to it/);
  await at.clock.advance(8 * DAY);
  while ((await certificates.get(id)) !== undefined) await new Promise((resolve) => setImmediate(resolve));
});

test('many are revoked: rehearsed first, then each replaced before its old one is revoked, at the rate', async (t) => {
  const at = await startEngine(t, {});
  const { certificates, issuers: _, ...rest } = at.engine;
  const ids = [];
  for (const name of ['a', 'b', 'c']) {
    const id = await certificates.ensure({ names: [`${name}.example.com`], reference: `domain:${name}` });
    await at.settled(id, 'valid');
    ids.push(id);
  }
  const filter = { issuerId: 'one', issuedUntil: at.clock.now() + 1 };
  const rehearsal = await rest.massRevocation.rehearse(filter, 1);
  assert.partialDeepStrictEqual(rehearsal, { versions: 3, served: 3, notServed: 0, takesMs: 3 * HOUR });
  assert.equal(at.asked.length, 3);
  await rest.massRevocation.start(filter, 'superseded', 1);
  await at.clock.advance(30 * 60_000);
  while (at.revoked.length === 0) await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual([at.asked.length, at.revoked.length], [4, 1]);
  await at.clock.advance(2 * HOUR);
  while (at.revoked.length < 3) await new Promise((resolve) => setImmediate(resolve));
  for (const id of ids) {
    await at.settled(id, 'valid');
    const [newest, old] = await certificates.versions(id);
    assert.equal(newest?.revokedAt, undefined);
    assert.ok(old?.revokedAt !== undefined);
    assert.equal((await certificates.get(id))?.served?.id, newest?.id);
  }
  assert.equal(at.revoked.length, 3);
  assert.equal((await rest.massRevocation.rehearse(filter, 1)).versions, 0);
});
