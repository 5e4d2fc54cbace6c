import assert from 'node:assert/strict';
import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ROOT } from '../fixtures/gatehouse.ts';
import { needProgram } from '../fixtures/peer.ts';
import { temporaryDirectory } from '../fixtures/temporary.ts';

test('systemd reads our units without a word, and rates the services as little exposed', (t) => {
  const analyze = needProgram(t, 'systemd-analyze');
  if (analyze === undefined) return;
  const directory = temporaryDirectory(t);
  const units = ['gatehouse.service', 'gatehouse-proxy.service', 'gatehouse-proxy.socket'].map((name) => {
    const text = readFileSync(join(ROOT, 'deploy', 'systemd', name), 'utf8');
    const path = join(directory, name);
    writeFileSync(path, text.replaceAll('/usr/lib/gatehouse', ROOT));
    return path;
  });
  const verified = spawnSync(analyze, ['verify', '--man=no', ...units], { encoding: 'utf8' });
  assert.equal(verified.status, 0, verified.stderr);
  assert.doesNotMatch(verified.stderr, /gatehouse/);
  // 10 is a service with no protection at all; above 25 (2.5) the program fails.
  for (const service of units.slice(0, 2)) {
    const argv = ['security', '--offline=true', '--threshold=25', service];
    const rated: SpawnSyncReturns<string> = spawnSync(analyze, argv, { encoding: 'utf8' });
    assert.equal(rated.status, 0, rated.stdout + rated.stderr);
  }
});
