// A backup of a running server, put into another place: what was there is there, and secrets open with the master key only.
import assert from 'node:assert/strict';
import { copyFileSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { blocksOf } from '../fixtures/documents.ts';
import { runCli, startGatehouse } from '../fixtures/gatehouse.ts';
import { temporaryDirectory } from '../fixtures/temporary.ts';

test('a backup of a running server is restored elsewhere, and nothing that is wrong changes anything', async (t) => {
  const scratch = temporaryDirectory(t);
  const file = join(scratch, 'gatehouse.backup');
  const gatehouse = await startGatehouse(t);
  await gatehouse.cli('apps', 'create', 'shop', '--upstream', 'http://127.0.0.1:9');
  const added = await gatehouse.cli('domains', 'add', 'shop.localhost', '--app', 'shop');
  assert.equal(added.code, 0, added.stderr);
  const { stdout: before } = await gatehouse.cli('certificates', 'show', 'shop.localhost', '--json');

  const made = await gatehouse.cli('backup', file);
  assert.equal(made.code, 0, made.stderr);
  assert.match(made.stdout, /keep .*master\.key in another place/);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.ok(!readFileSync(file).includes('PRIVATE KEY'), 'keys are sealed');
  const again = await gatehouse.cli('backup', file);
  assert.deepEqual([again.code, /is there already/.test(again.stderr)], [1, true], again.stderr);
  const occupied = await gatehouse.cli('restore', file);
  assert.match(occupied.stderr, /another gatehouse runs/);
  await gatehouse.stop();

  const dataDir = join(scratch, 'new');
  const restore = (from: string, ...more: string[]) => runCli(['restore', from, '--data-dir', dataDir, ...more]);
  assert.match((await restore(file)).stderr, /the master key is not there/);
  mkdirSync(dataDir, { recursive: true });
  const key = join(dataDir, 'master.key');
  writeFileSync(key, `${Buffer.alloc(32, 7).toString('base64')}\n`, { mode: 0o600 });
  assert.match((await restore(file)).stderr, /the master key does not open/);
  copyFileSync(join(gatehouse.dataDir, 'master.key'), key);
  const damaged = join(scratch, 'damaged');
  writeFileSync(damaged, readFileSync(file).subarray(0, 5_000));
  assert.match((await restore(damaged)).stderr, /no whole backup/);
  assert.ok(!existsSync(join(dataDir, 'gatehouse.db')), 'nothing was changed');

  // The document's own words, with our places in them.
  const [restoring = ''] = blocksOf('docs/backup.md')
    .find(({ text }) => text.includes('restore'))!
    .text.split('\n');
  const words = restoring.replace('gatehouse.backup', file).replace('/var/lib/gatehouse', dataDir).split(' ').slice(1);
  const restored = await runCli(words);
  assert.equal(restored.code, 0, restored.stderr);
  assert.match((await restore(file)).stderr, /--force/);
  const second = await startGatehouse(t, { dataDir });
  const { stdout: after } = await second.cli('certificates', 'show', 'shop.localhost', '--json');
  assert.equal(JSON.parse(after).served.serial, JSON.parse(before).served.serial);
});
