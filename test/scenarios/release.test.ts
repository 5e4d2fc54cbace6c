import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { test } from 'node:test';
import { blocksOf } from '../fixtures/documents.ts';
import { ROOT, startGatehouse } from '../fixtures/gatehouse.ts';
import { temporaryDirectory } from '../fixtures/temporary.ts';

/** The command of docs/install.md that holds `words`. */
function command(words: string): string {
  const block = blocksOf('docs/install.md').find(({ text }) => text.includes(words));
  assert.ok(block, `docs/install.md has no ${words}`);
  return block.text.trim();
}

const shell = (script: string, cwd: string, env: NodeJS.ProcessEnv = process.env) =>
  execFileSync('bash', ['-euc', script], { cwd, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });

/** No Node.js, no npm, no home: what a new server has. */
const BARE = { PATH: '/usr/bin:/bin', HOME: '/nonexistent', JOURNAL_STREAM: '8:1' };

test('a release is made, unpacked where nothing is, and serves from its own files', async (t) => {
  const scratch = temporaryDirectory(t);
  const [, make = ''] = command('npm run release').split(' && ');
  const made = shell(`${make} --to ${scratch}/made`, ROOT).trim().split('\n').at(-1)!;
  assert.match(made, /gatehouse-[\d.]+-\w+-\w+\.tar\.gz$/);

  const install = command('ln -sf').replace('gatehouse-*.tar.gz', made).replaceAll('/usr/', `${scratch}/server/`);
  shell(`mkdir -p server/lib server/bin; ${install}`, scratch);
  const installed = join(scratch, 'server/lib/gatehouse');
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  assert.equal(shell('server/bin/gatehouse --version', scratch, BARE).trim(), version);
  assert.deepEqual(globSync('{src,node_modules}/**/*.{test.ts,map}', { cwd: installed }), [], 'only what runs');
  assert.ok(!existsSync(join(installed, 'node_modules/typescript')));

  const gatehouse = await startGatehouse(t, { installed: { bin: join(scratch, 'server/bin/gatehouse'), env: BARE } });
  const { ready } = gatehouse;
  const page = await fetch(ready.console);
  assert.equal(page.status, 200);
  assert.match(await page.text(), /<div id="root">/);
  const [status] = await new Promise<[number | undefined]>((resolve, reject) =>
    request(ready.acme_directory, { ca: readFileSync(ready.ca_root_file) }, (answer) =>
      resolve([answer.resume().statusCode]),
    )
      .once('error', reject)
      .end(),
  );
  assert.equal(status, 200);
  assert.match(gatehouse.output(), /gatehouse tokens create admin --permission all --data-dir \S+/);
  assert.ok(!gatehouse.output().includes(ready.admin_token!), 'the journal has no token');
});
