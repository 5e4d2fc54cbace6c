// What every store promises, tried on each: the embedded one, and a real PostgreSQL.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { sql } from 'kysely';
import { appendAudit, sealAudit, verifyAudit } from '../../src/store/audit.ts';
import { changesSince, latestChange, openStore, recordChange, type Store } from '../../src/store/index.ts';
import { getSealedSecret, putSealedSecret } from '../../src/store/secrets.ts';
import { startPostgres } from '../fixtures/postgres.ts';
import { temporaryDirectory } from '../fixtures/temporary.ts';

const OPENERS: Record<Store['dialect'], (t: TestContext) => Promise<string | undefined>> = {
  sqlite: async (t) => join(temporaryDirectory(t), 'store.db'),
  postgres: startPostgres,
};

for (const [dialect, open] of Object.entries(OPENERS))
  test(`a store on ${dialect}`, async (t) => {
    const url = await open(t);
    if (url === undefined) return;
    const store = await openStore({ url });
    t.after(() => store.close());
    await keepsPromises(t, store, url);
  });

async function keepsPromises(t: TestContext, store: Store, url: string): Promise<void> {
  await t.test('a write that throws leaves nothing, and does not touch its neighbours', async () => {
    const outcomes = await Promise.allSettled(
      [1, 2, 3].map((n) =>
        store.write(async (tx) => {
          await putSealedSecret(tx, `neighbour/${n}`, Buffer.of(n), 0);
          if (n === 2) throw new Error('second thoughts');
          return n;
        }),
      ),
    );
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled'],
    );
    assert.equal(await getSealedSecret(store.db, 'neighbour/2'), undefined);
    assert.deepEqual([...(await getSealedSecret(store.db, 'neighbour/3'))!], [3]);
  });

  await t.test(
    'the audit log is append-only for every statement, and one who owns the schema is found out',
    async () => {
      const write = (at: number) =>
        store.write((tx) => appendAudit(tx, { actor: 'token:t', action: 'app.create', resource: `app:${at}`, at }));
      for (const at of [1, 2, 3]) await write(at);
      await sealAudit(store, 4);
      await write(5);
      await sealAudit(store, 6);
      const run = (text: string) =>
        store.write((tx) =>
          sql
            .raw(text)
            .execute(tx)
            .then(() => {}),
        );
      const forbidden = [
        "update audit_event set actor = 'nobody' where seq = 2",
        'update audit_event set seal = null',
        'update audit_event set seq = 20 where seq = 2',
        'update audit_seal set events = 3',
        'delete from audit_event',
        'delete from audit_seal',
        ...(store.dialect === 'postgres' ? ['truncate audit_event', 'truncate audit_seal'] : []),
      ];
      for (const text of forbidden) await assert.rejects(run(text), /append-only/, text);
      assert.ok((await verifyAudit(store.db)).ok);
      await run(`drop trigger audit_no_update${store.dialect === 'postgres' ? ' on audit_event' : ''}`);
      await run("update audit_event set actor = 'nobody' where seq = 2");
      const { ok, problem } = await verifyAudit(store.db);
      assert.deepEqual([ok, problem], [false, 'an event of seal 1, or the seal itself, was changed (events 1 to 3)']);
    },
  );

  await t.test('concurrent writers that read what they change lose no update', async () => {
    await store.write((tx) => putSealedSecret(tx, 'counter', Buffer.of(0), 0));
    await Promise.all(
      Array.from({ length: 20 }, () =>
        store.write(async (tx) => {
          const value = (await getSealedSecret(tx, 'counter'))![0]!;
          await putSealedSecret(tx, 'counter', Buffer.of(value + 1), 0);
        }),
      ),
    );
    assert.equal((await getSealedSecret(store.db, 'counter'))![0], 20);
  });

  await t.test('the change log is followed by a cursor, and times and numbers come back as numbers', async () => {
    const before = await latestChange(store.db);
    await store.write((tx) => recordChange(tx, 'route', 'a', 1_764_000_000_123));
    await store.write((tx) => recordChange(tx, 'certificate', 'b', 2));
    const changes = await changesSince(store.db, before);
    assert.deepEqual(
      changes.map(({ at, kind, key }) => [at, kind, key]),
      [
        [1_764_000_000_123, 'route', 'a'],
        [2, 'certificate', 'b'],
      ],
    );
    assert.equal(await latestChange(store.db), changes.at(-1)!.seq);
  });

  await t.test('what was written is there when it is opened again', async () => {
    const again = await openStore({ url });
    assert.deepEqual([...(await getSealedSecret(again.db, 'neighbour/1'))!], [1]);
    await again.close();
  });
}
