import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createTestControl } from '../../test/fixtures/control.ts';
import { createApi } from '../api/index.ts';
import { silentLogger, systemClock } from '../base/index.ts';
import { runCli } from './index.ts';

async function serverForTest(t: TestContext) {
  const { control, views, issued } = await createTestControl(systemClock);
  const server = await createApi({ control, clock: systemClock, log: silentLogger, version: '0', allowedHosts: [] });
  const api = await server.listen({ port: 0, host: '127.0.0.1' });
  t.after(() => server.close());
  const dataDir = mkdtempSync(join(tmpdir(), 'gatehouse-cli-'));
  t.after(() => rmSync(dataDir, { recursive: true }));
  const { token } = (await control.tokens.createFirst())!;
  writeFileSync(join(dataDir, 'cli.json'), JSON.stringify({ api, token }), { mode: 0o600 });
  const run = async (argv: string[], env: Record<string, string> = {}) => {
    const written = { out: '', err: '' };
    const code = await runCli(
      argv,
      { GATEHOUSE_DATA_DIR: dataDir, ...env },
      {
        stdout: { write: (text: string) => (written.out += text) },
        stderr: { write: (text: string) => (written.err += text) },
      },
    );
    return { code, ...written };
  };
  return { run, views, issued, control, api };
}

test('from an app to a served domain, in words', async (t) => {
  const { run, views, issued } = await serverForTest(t);
  const created = await run(['apps', 'create', 'shop', '--upstream', 'http://127.0.0.1:3000']);
  assert.deepEqual([created.code, created.err], [0, '']);
  assert.match(created.out, /shop leads to http:\/\/127\.0\.0\.1:3000/);
  assert.equal((await run(['domains', 'add', 'later.localhost', '--app', 'shop', '--no-wait'])).code, 0);
  const adding = run(['domains', 'add', 'shop.localhost', '--app', 'shop']);
  const wanted = () => [...views.values()].find(({ names }) => names.includes('shop.localhost'));
  while (wanted() === undefined) await new Promise((resolve) => setImmediate(resolve));
  issued(wanted()!.id);
  const added = await adding;
  assert.equal(added.code, 0, added.err);
  assert.match(added.err, /served/);
  assert.match(added.out, /https:\/\/shop\.localhost\/ is served until/);
  assert.match((await run(['certificates', 'list'])).out, /shop\.localhost .*valid/);
  assert.match((await run(['certificates', 'show', 'shop.localhost'])).out, /served {7}until/);
  const shown = await run(['domains', 'show', 'shop.localhost', '--json']);
  assert.equal(JSON.parse(shown.out).tls_status, 'issued');
  assert.match((await run(['domains', 'list'])).out, /later\.localhost/);
  assert.match((await run(['audit', 'list'])).out, /domain\.claim/);
  assert.match((await run(['audit', 'verify'])).out, /as they were written/);
});

test('names in bulk, with a report', async (t) => {
  const { run, control } = await serverForTest(t);
  control.start();
  t.after(() => control.stop());
  await run(['apps', 'create', 'shop', '--upstream', 'http://127.0.0.1:3000']);
  const file = join(mkdtempSync(join(tmpdir(), 'gatehouse-cli-')), 'names.csv');
  writeFileSync(file, 'one.localhost\ntwo.localhost\nnot a name\n');
  const imported = await run(['domains', 'import', file, '--app', 'shop']);
  assert.equal(imported.code, 1);
  assert.match(imported.out, /2 added, 0 were there already, 1 failed/);
  assert.match(imported.out, /line 3: not a name/);
});

test('failures go to standard error, say what to do, and set the exit code', async (t) => {
  const { run, api } = await serverForTest(t);
  const bad = await run(['apps', 'create', 'shop', '--upstream', 'nonsense']);
  assert.deepEqual([bad.code, bad.out], [1, '']);
  assert.match(bad.err, /error: .*upstreams\[0\].*is no URL/);
  assert.match(bad.err, /http:\/\/host:port/);
  assert.equal((await run(['apps', 'create'])).code, 2);
  assert.equal((await run(['nonsense'])).code, 2);
  const none = await run(['apps', 'list'], { GATEHOUSE_API_URL: 'http://127.0.0.1:1', GATEHOUSE_TOKEN: 'x' });
  assert.equal(none.code, 3);
  assert.match(none.err, /does not answer/);
  const wrong = await run(['apps', 'list'], { GATEHOUSE_API_URL: api, GATEHOUSE_TOKEN: 'gh_wrong' });
  assert.equal(wrong.code, 4);
  const missing = await run(['apps', 'list'], { GATEHOUSE_DATA_DIR: '/nonexistent' });
  assert.equal(missing.code, 3);
  assert.match(missing.err, /gatehouse up/);
  const problem = await run(['apps', 'show', 'none', '--json']);
  assert.equal(JSON.parse(problem.err).code, 'app_not_found');
});

test('every command has help', async (t) => {
  const { run } = await serverForTest(t);
  const top = await run(['--help']);
  assert.equal(top.code, 0);
  for (const words of [
    ['apps'],
    ['domains', 'add'],
    ['certificates', 'revoke'],
    ['tokens', 'create'],
    ['ca', 'root'],
  ]) {
    const help = await run([...words, '--help']);
    assert.equal(help.code, 0);
    assert.match(help.out, /Usage: gatehouse/);
  }
});
