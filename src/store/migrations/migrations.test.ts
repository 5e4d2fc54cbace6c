import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { temporaryDirectory } from '../../../test/fixtures/temporary.ts';
import { openStore } from '../index.ts';

test('a store that a newer version has changed is left alone, and the refusal says what to do', async (t) => {
  const url = join(temporaryDirectory(t), 'gatehouse.db');
  await (await openStore({ url })).close();
  const database = new DatabaseSync(url);
  database.prepare(`insert into kysely_migration values ('999-later', '2030-01-01')`).run();
  database.close();
  await assert.rejects(openStore({ url }), /a newer version of Gatehouse has changed this store/);
});
