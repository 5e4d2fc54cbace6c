import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { startReplica as startOn } from '../../test/fixtures/acme-replicas.ts';
import { RawAcme, rawJws } from '../../test/fixtures/raw-acme.ts';
import { createVirtualClock } from '../base/index.ts';
import { openMemoryStore, type Store } from '../store/index.ts';
import { collectGarbage } from './collection.ts';
import { createNonceService } from './nonce.ts';

/** A replica on the store, behind no load balancer: the test chooses whom it speaks to. */
async function startReplica(t: TestContext, store: Store) {
  const replica = await startOn(store, createVirtualClock());
  t.after(replica.stop);
  return replica;
}

test('a nonce of one replica is good at another, once in all, and after a restart', async (t) => {
  const store = await openMemoryStore();
  const a = await startReplica(t, store);
  await a.acme.administration.createProfile({ id: 'default', default: true }, 'system');
  const b = await startReplica(t, store);
  const client = new RawAcme(`${a.own}/acme/directory`);
  const base = 'http://acme.test/acme/profile/default';
  const freshFrom = async (own: string) => {
    await client.send('HEAD', `${own}/acme/profile/default/new-nonce`);
    return client.nonce;
  };
  const register = async (own: string, nonce: string) => {
    const header = { alg: 'ES256', nonce, url: `${base}/new-account`, jwk: client.key.jwk };
    const { status, json } = await client.postBody(
      `${own}/acme/profile/default/new-account`,
      rawJws(client.key, header, {}),
    );
    return status < 300 ? 'good' : String(json.type).split(':').at(-1);
  };
  const first = await freshFrom(a.own);
  assert.equal(await register(b.own, first), 'good', 'issued by A, redeemed at B');
  assert.equal(await register(a.own, first), 'badNonce');
  assert.equal(await register(b.own, first), 'badNonce');
  const both = await freshFrom(a.own);
  const outcomes = await Promise.all([register(a.own, both), register(b.own, both)]);
  assert.deepEqual(outcomes.sort(), ['badNonce', 'good'], 'at both at once: one wins');
  const [used, unused] = [await freshFrom(a.own), await freshFrom(a.own)];
  assert.equal(await register(a.own, used), 'good');
  await a.stop();
  assert.equal(await register(b.own, used), 'badNonce', 'what A used stays used after its end');
  assert.equal(await register(b.own, unused), 'good', 'what A left is good at its successor');
  assert.equal(await register(b.own, unused), 'badNonce');
});

test('no nonce is good twice, none is invented, and the window forgets the oldest', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(63), { maxLength: 200 }), (redeemed) => {
      const nonces = createNonceService({ key: Buffer.alloc(16, 3), window: 32 });
      const issued = Array.from({ length: 64 }, () => nonces.issue());
      const good = redeemed.filter((index) => nonces.redeem(issued[index]!) === true);
      return new Set(good).size === good.length && good.every((index) => index >= 32);
    }),
  );
  const nonces = createNonceService({ key: Buffer.alloc(16, 3) });
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 0, maxLength: 24 }),
      (bytes) => nonces.redeem(Buffer.from(bytes).toString('base64url')) === false,
    ),
  );
});

test('what is over is collected, and what is not stays', async (t) => {
  const store = await openMemoryStore();
  t.after(() => store.close());
  const clock = createVirtualClock();
  const order = (id: string, expires_at: number) => ({
    id,
    profile_id: 'p',
    account_id: 'a',
    state: 'open' as const,
    identifiers: '[]',
    authorizations: null,
    not_before: null,
    not_after: null,
    created_at: 0,
    expires_at,
    error: null,
    certificate_serial: null,
    csr: null,
    replaces: null,
    sub_profile: null,
  });
  const old = clock.now() - 31 * 86_400_000;
  await store.write(async (tx) => {
    for (let i = 0; i < 1200; i++)
      await tx
        .insertInto('acme_order')
        .values(order(`o${i}`, old))
        .execute();
    await tx.insertInto('acme_order').values(order('fresh', clock.now())).execute();
  });
  assert.deepEqual(await collectGarbage({ store, clock }), { acme_order: 1200 });
  assert.deepEqual(
    (await store.db.selectFrom('acme_order').select('id').execute()).map(({ id }) => id),
    ['fresh'],
  );
  assert.deepEqual(await collectGarbage({ store, clock }), {});
});

test('limits are shared by two replicas, and survive both', async (t) => {
  const store = await openMemoryStore();
  const a = await startReplica(t, store);
  const limits = { orders: { count: 4 }, failed_validations: { count: 2 }, challenge_responses: { count: 3 } };
  // Port 1 of loopback, where nothing listens.
  const validation = { http_port: 1, allowed_cidrs: ['127.0.0.0/8', '::1/128'] };
  await a.acme.administration.createProfile({ id: 'default', default: true, limits, validation }, 'system');
  const b = await startReplica(t, store);
  const client = await new RawAcme(`${a.own}/acme/directory`).start();
  /** A signed request to one replica, whatever the URL in it says. */
  const at = async (own: string, url: string, payload: unknown) => {
    await client.send('HEAD', `${own}/acme/profile/default/new-nonce`);
    const identity = client.kid === undefined ? { jwk: client.key.jwk } : { kid: client.kid };
    const jws = rawJws(client.key, { alg: 'ES256', nonce: client.nonce, url, ...identity }, payload);
    return client.postBody(url.replace('http://acme.test', own), jws);
  };
  client.kid = (await at(a.own, client.directory.newAccount!, {})).headers.location;
  const order = (own: string, name: string) =>
    at(own, client.directory.newOrder!, { identifiers: [{ type: 'dns', value: name }] });
  const fail = async (own: string, name: string) => {
    const made = await order(own, name);
    if (made.status !== 201) return made;
    const { challenges } = (await at(own, made.json.authorizations[0], '')).json;
    const answer = await at(own, challenges.find(({ type }: { type: string }) => type === 'http-01').url, {});
    await Promise.all([a.acme.idle(), b.acme.idle()]);
    return answer;
  };
  assert.equal((await fail(a.own, 'x.localhost')).status, 200);
  assert.equal((await fail(b.own, 'x.localhost')).status, 200);
  const third = await fail(a.own, 'x.localhost');
  assert.match(third.json.detail, /failed validations of dns:x\.localhost: at most 2/);
  assert.ok(Number(third.headers['retry-after']) > 0);
  assert.equal((await fail(b.own, 'y.localhost')).status, 200);
  assert.match((await fail(a.own, 'z.localhost')).json.detail, /orders of this account: at most 4/);
  await a.stop();
  await b.stop();
  const c = await startReplica(t, store);
  assert.match((await order(c.own, 'z.localhost')).json.detail, /orders of this account: at most 4/);
});
