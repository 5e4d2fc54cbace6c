// Somebody with the database's file in their hands changes what was written about them. `gatehouse audit verify` says so,
// and where.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { startGatehouse } from '../fixtures/gatehouse.ts';

test('a row that was changed behind the server is found, with the events among which it is', async (t) => {
  const gatehouse = await startGatehouse(t);
  const { cli } = gatehouse;
  const verify = () => cli('audit', 'verify');
  for (const name of ['one', 'two'])
    assert.equal((await cli('apps', 'create', name, '--upstream', 'http://127.0.0.1:1')).code, 0);
  const before = await verify();
  assert.equal(before.code, 0, before.stderr);
  assert.match(before.stdout, /are as they were written\n {2}head [0-9a-f]{64}/);
  assert.equal((await cli('apps', 'create', 'three', '--upstream', 'http://127.0.0.1:1')).code, 0);
  assert.equal((await verify()).code, 0, 'what is added since is sealed too');

  const database = new DatabaseSync(join(gatehouse.dataDir, 'gatehouse.db'));
  t.after(() => database.close());
  const row = database.prepare("select seq, seal from audit_event where resource like 'app:%' limit 1").get() as {
    seq: number;
    seal: number;
  };
  const change = () => database.prepare("update audit_event set actor = 'token:somebody' where seq = ?").run(row.seq);
  assert.throws(change, /the audit log is append-only/);
  assert.throws(() => database.exec('delete from audit_seal'), /the audit log is append-only/);
  database.exec('drop trigger audit_no_update');
  change();

  const found = await verify();
  assert.notEqual(found.code, 0);
  const words = /an event of seal (\d+), or the seal itself, was changed \(events (\d+) to (\d+)\)/.exec(found.stderr);
  assert.ok(words !== null, found.stderr);
  const [seal, first, last] = words.slice(1).map(Number) as [number, number, number];
  assert.ok(seal === row.seal && first <= row.seq && row.seq <= last, `${words[0]}; it was ${row.seq}`);
  assert.match(found.stderr, /compare it with an export that you kept/);
});
