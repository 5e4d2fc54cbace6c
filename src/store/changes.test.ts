import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forgetChanges } from './changes.ts';
import { changesSince, latestChange, openMemoryStore, recordChange } from './index.ts';

test('a commit that noted a change wakes listeners once, and no other write does', async () => {
  const store = await openMemoryStore();
  let woken = 0;
  const stop = store.onChange(() => woken++);
  await store.write(async (tx) => {
    await recordChange(tx, 'app', 'app_1', 1);
    await recordChange(tx, 'domain', 'dom_1', 1);
  });
  assert.equal(woken, 1);
  await store.write((tx) => tx.deleteFrom('secret').execute());
  assert.equal(woken, 1);
  assert.deepEqual(
    (await changesSince(store.db, 0)).map(({ kind, key }) => [kind, key]),
    [
      ['app', 'app_1'],
      ['domain', 'dom_1'],
    ],
  );
  assert.equal(await latestChange(store.db), 2);
  stop();
  await store.write((tx) => recordChange(tx, 'app', 'app_2', 2));
  assert.equal(woken, 1);
  await store.close();
});

test('old changes go, in portions, and the newest stays whatever its age', async () => {
  const store = await openMemoryStore();
  for (let at = 1; at <= 5; at++) await store.write((tx) => recordChange(tx, 'app', `app_${at}`, at));
  assert.equal(await forgetChanges(store, 3, 1), 1);
  assert.equal(await forgetChanges(store, 3, 10), 1);
  assert.equal(await forgetChanges(store, 3, 10), 0);
  assert.equal(await forgetChanges(store, 100, 10), 2);
  assert.deepEqual(
    (await changesSince(store.db, 0)).map(({ seq }) => seq),
    [5],
  );
  await store.close();
});
