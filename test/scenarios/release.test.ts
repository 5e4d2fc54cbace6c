import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { test } from 'node:test';
import { stringify } from 'yaml';
import { commandOf, environmentOf, stagesOf } from '../fixtures/dockerfile.ts';
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

/** The image's command in its environment, from the files that are copied to /app; without a CA it does not get far. */
function runAsImage(installed: string, scratch: string): void {
  const image = stagesOf('deploy/container/Dockerfile').at(-1)!;
  const [program = '', ...rest] = commandOf(image);
  const file = join(scratch, 'proxy.yaml');
  const tls = {
    mode: 'acme',
    names: ['shop.test'],
    contact: 'mailto:ops@shop.test',
    directory: 'https://127.0.0.1:1/',
  };
  const listener = { id: 'main', address: '127.0.0.1', https_port: 0, tls };
  writeFileSync(
    file,
    stringify({
      workers: 1,
      listeners: [listener],
      sites: [{ hosts: ['shop.test'], redirect: { to: 'https://a.test' } }],
    }),
  );
  const volume = join(scratch, 'volume');
  const env = Object.fromEntries(Object.keys(environmentOf(image)).map((name) => [name, volume]));
  const args = rest.map((word) => (word.endsWith('/proxy.yaml') ? file : word));
  const ran = spawnSync(join(installed, program.replace(/^\/app\//, '')), args, {
    cwd: installed,
    env: { ...BARE, ...env, NODE_ENV: 'production' },
    encoding: 'utf8',
    timeout: 60_000,
  });
  assert.equal(ran.status, 1, ran.stdout + ran.stderr);
  assert.match(ran.stderr, /listener main: there is no certificate in the cache, and none could be got for shop\.test/);
  assert.ok(existsSync(join(volume, 'main')), 'the cache is in the volume');
}

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

  runAsImage(installed, scratch);

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
