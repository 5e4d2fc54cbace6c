import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sql } from 'kysely';
import { appendAudit, listAudit, sealAudit, verifyAudit } from './audit.ts';
import { openMemoryStore, type Store } from './index.ts';

async function filled(count: number) {
  const store = await openMemoryStore();
  await store.write(async (tx) => {
    for (let i = 0; i < count; i++)
      await appendAudit(tx, { actor: 'token:t', action: 'app.create', resource: `app:${i}`, facts: { i }, at: i });
  });
  return store;
}

test('events are sealed in batches into a chain that verifies', async () => {
  const store = await filled(3);
  assert.equal((await verifyAudit(store.db)).unsealed, 3);
  assert.equal(await sealAudit(store, 100), 3);
  assert.equal(await sealAudit(store, 101), 0);
  await store.write((tx) => appendAudit(tx, { actor: 'system', action: 'x.y', resource: 'z', at: 200 }));
  assert.equal(await sealAudit(store, 201), 1);
  const verdict = await verifyAudit(store.db);
  assert.deepEqual([verdict.ok, verdict.seals, verdict.events, verdict.unsealed], [true, 2, 4, 0]);
  assert.equal((await listAudit(store.db, { action: 'app.create' }, { limit: 2 })).length, 2);
  await store.close();
});

test('the database refuses to change or remove an event', async () => {
  const store = await filled(1);
  await assert.rejects(
    store.write((tx) => tx.updateTable('audit_event').set({ actor: 'nobody' }).execute()),
    /append-only/,
  );
  await assert.rejects(
    store.write((tx) => tx.deleteFrom('audit_event').execute()),
    /append-only/,
  );
  await sealAudit(store, 1);
  for (const work of [
    () => store.write((tx) => tx.updateTable('audit_event').set({ seal: 2 }).execute()),
    () => store.write((tx) => tx.updateTable('audit_event').set({ seal: null }).execute()),
    () => store.write((tx) => tx.updateTable('audit_event').set({ seq: 9 }).execute()),
    () => store.write((tx) => tx.updateTable('audit_seal').set({ at: 7 }).execute()),
    () => store.write((tx) => tx.deleteFrom('audit_seal').execute()),
  ])
    await assert.rejects(work(), /append-only/);
  assert.ok((await verifyAudit(store.db)).ok);
  await store.close();
});

/** What somebody who owns the database does first. */
const unguarded = (store: Store) =>
  store.write(async (tx) => {
    for (const name of ['audit_seal_no_update', 'audit_seal_no_delete'])
      await sql`drop trigger ${sql.id(name)}`.execute(tx);
  });

test('a changed seal and a missing one are found', async () => {
  const store = await filled(2);
  await sealAudit(store, 1);
  await store.write((tx) => appendAudit(tx, { actor: 'system', action: 'x.y', resource: 'z', at: 2 }));
  await sealAudit(store, 3);
  await unguarded(store);
  await store.write((tx) => tx.updateTable('audit_seal').set({ at: 7 }).where('number', '=', 1).execute());
  assert.match((await verifyAudit(store.db)).problem ?? '', /seal 1/);
  await store.write((tx) => tx.deleteFrom('audit_seal').where('number', '=', 1).execute());
  assert.match((await verifyAudit(store.db)).problem ?? '', /seal 1 is missing/);
  await store.close();
});
