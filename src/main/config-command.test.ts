import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { runCli } from '../../test/fixtures/gatehouse.ts';
import { temporaryDirectory } from '../../test/fixtures/temporary.ts';

test('config schema prints the schema of each kind of file, and refuses other kinds', async () => {
  const keysOf = async (...kind: string[]) => {
    const { stdout } = await runCli(['config', 'schema', ...kind]);
    return Object.keys(JSON.parse(stdout).properties);
  };
  assert.ok((await keysOf()).includes('acme_server'));
  for (const kind of [['proxy'], ['--kind', 'proxy']]) assert.ok((await keysOf(...kind)).includes('listeners'));
  const wrong = await runCli(['config', 'schema', 'edge']);
  assert.notEqual(wrong.code, 0);
  assert.match(wrong.stderr, /"edge" is not one of up, proxy/);
});

test('config check tells a file of the proxy by its listeners, and says what is wrong where', async (t) => {
  const file = join(temporaryDirectory(t), 'edge.yaml');
  const site = 'sites: [{ hosts: [a.test], upstreams: [http://127.0.0.1:3000] }]';
  writeFileSync(file, `listeners: [{ http_port: 8080 }]\n${site}\n`);
  const good = await runCli(['config', 'check', file]);
  assert.equal(good.code, 0, good.stderr);
  writeFileSync(file, `listeners: [{ http_port: 8080 }]\n${site.replace('a.test', 'localhost, nas')}\n`);
  assert.equal((await runCli(['config', 'check', file])).code, 0);
  writeFileSync(file, `listeners: [{ http_port: 8080 }]\n${site.replace('upstreams', 'upstream')}\n`);
  const bad = await runCli(['config', 'check', file]);
  assert.notEqual(bad.code, 0);
  assert.match(
    bad.stderr,
    /edge\.yaml:2:28: sites\[0\]\.upstream: there is no such key here; there are hosts, upstreams/,
  );
});
