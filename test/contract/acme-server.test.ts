import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { collectGarbage } from '../../src/acme-server/collection.ts';
import { openMemoryStore, openStore, type Store } from '../../src/store/index.ts';
import { createCertificationRequest, parsePem } from '../../src/x509/index.ts';
import { startAcmeServer } from '../fixtures/acme-server.ts';
import { startPostgres } from '../fixtures/postgres.ts';
import { RawAcme, rawJws, rawKey } from '../fixtures/raw-acme.ts';

const STORES: Record<string, (t: Parameters<typeof startPostgres>[0]) => Promise<Store | undefined>> = {
  SQLite: () => openMemoryStore(),
  PostgreSQL: async (t) => {
    const url = await startPostgres(t);
    return url === undefined ? undefined : openStore({ url });
  },
};

for (const [name, open] of Object.entries(STORES))
  test(`on ${name}: orders at once by one account are all issued, limits hold, and what is revoked is listed`, async (t) => {
    const store = await open(t);
    if (store === undefined) return;
    const { directoryUrl, ca, clock } = await startAcmeServer(t, {
      plain: true,
      store,
      profile: {
        auth_mode: 'trust_authenticated',
        trust_without_eab: true,
        limits: { orders: { count: 12, per_seconds: 3600 } },
      },
    });
    t.after(() => store.close());
    const first = await new RawAcme(directoryUrl).start();
    await first.register();
    const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
    const outcomes = await Promise.all(
      Array.from({ length: 16 }, async (_, index) => {
        const acme = await new RawAcme(directoryUrl, { key: first.key }).start();
        acme.kid = first.kid;
        const host = `n${index}.example`;
        const order = await acme.order([host]);
        if (order.status !== 201)
          return String(order.json?.type ?? order.status)
            .split(':')
            .at(-1);
        const csr = createCertificationRequest([host], key).toString('base64url');
        const done = await acme.post(order.json.finalize, { csr });
        assert.equal(done.json.status, 'valid', done.text);
        const [leaf] = parsePem('CERTIFICATE', (await acme.post(done.json.certificate, '')).text);
        return (await acme.post(acme.directory.revokeCert!, { certificate: leaf!.toString('base64url') })).status;
      }),
    );
    assert.equal(outcomes.filter((outcome) => outcome === 200).length, 12);
    assert.equal(outcomes.filter((outcome) => outcome === 'rateLimited').length, 4);
    const [, intermediate] = ca.authorities();
    const lists = await Promise.all(
      Array.from({ length: 16 }, (_, partition) => ca.revocation.list(intermediate!.id, partition)),
    );
    assert.equal(lists.filter((list) => list !== undefined).length, 16);
    const { revoked } = await store.db
      .selectFrom('ca_certificate')
      .select((e) => e.fn.countAll<number>().as('revoked'))
      .where('revoked_at', 'is not', null)
      .executeTakeFirstOrThrow();
    assert.equal(Number(revoked), 12);
    assert.equal(typeof (await collectGarbage({ store, clock })), 'object');
  });

for (const [name, open] of Object.entries(STORES))
  test(`on ${name}: of accounts that change to one key at once, one has it, and the others are told whose it is`, async (t) => {
    const store = await open(t);
    if (store === undefined) return;
    const running = await startAcmeServer(t, {
      plain: true,
      store,
      profile: { limits: { key_changes: { count: 1000 }, accounts_per_address: { count: 1000 } } },
    });
    t.after(() => store.close());
    const clients = await Promise.all(
      Array.from({ length: 6 }, async () => {
        const client = await new RawAcme(running.directoryUrl).start();
        await client.register();
        return client;
      }),
    );
    for (let round = 0; round < 8; round++) {
      const next = rawKey();
      const changes = await Promise.all(
        clients.map((client) => {
          const url = client.directory.keyChange!;
          const claim = { account: client.kid, oldKey: client.key.jwk };
          return client.post(url, rawJws(next, { alg: next.alg, jwk: next.jwk, url }, claim));
        }),
      );
      const winner = changes.findIndex(({ status }) => status === 200);
      const { kid } = clients[winner]!;
      assert.deepEqual(
        changes.map(({ status, headers }) => [status, headers.location]),
        clients.map((_, index) => [index === winner ? 200 : 409, kid]),
      );
      // The next round goes on with those that have their old keys.
      clients[winner] = await new RawAcme(running.directoryUrl).start();
      await clients[winner]!.register();
    }
  });
