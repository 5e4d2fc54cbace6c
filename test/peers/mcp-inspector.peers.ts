// The MCP inspector's command line, which others wrote, over streamable HTTP and over standard input.
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ROOT, startGatehouse } from '../fixtures/gatehouse.ts';
import { cacheDirectory } from '../fixtures/pypi.ts';
import { temporaryDirectory } from '../fixtures/temporary.ts';

const VERSION = '2.12.0';

/** The inspector from npm, in a directory of its own; undefined, with the test skipped, where it cannot be had. */
function needInspector(t: TestContext): string | undefined {
  const home = join(cacheDirectory(), 'npm', `inspector-${VERSION}`);
  const program = join(home, 'node_modules', '.bin', 'mcp-inspector');
  if (existsSync(program)) return program;
  const draft = `${home}.${process.pid}`;
  mkdirSync(draft, { recursive: true });
  writeFileSync(join(draft, 'package.json'), '{"private":true}');
  const argv = ['install', '--no-audit', '--no-fund', `@modelcontextprotocol/inspector@${VERSION}`];
  const { status, stderr } = spawnSync('npm', argv, { cwd: draft, encoding: 'utf8' });
  if (status === 0) {
    renameSync(draft, home);
    return program;
  }
  rmSync(draft, { recursive: true, force: true });
  const reason = `the MCP inspector could not be had from npm: ${stderr.trim().split('\n').at(-1)}`;
  if (process.env.GATEHOUSE_REQUIRE_PEERS === '1') throw new Error(reason);
  t.skip(reason);
  return undefined;
}

test('the inspector lists tools, calls them and reads resources, over HTTP and over standard input', async (t) => {
  const inspector = needInspector(t);
  if (inspector === undefined) return;
  const gatehouse = await startGatehouse(t);
  const run = (...argv: string[]) =>
    new Promise<string>((resolve, reject) => {
      const env = { ...process.env, GATEHOUSE_DATA_DIR: gatehouse.dataDir };
      execFile(process.execPath, [inspector, '--cli', ...argv], { env, timeout: 60_000 }, (error, stdout, stderr) =>
        error === null ? resolve(stdout) : reject(new Error(`${argv.join(' ')}: ${stderr}${stdout}`)),
      );
    });
  const http = [
    gatehouse.ready.mcp,
    '--transport',
    'http',
    '--header',
    `Authorization: Bearer ${gatehouse.ready.admin_token}`,
  ];
  // The inspector gives a program it starts a small environment of its own.
  const script = join(temporaryDirectory(t), 'gatehouse-mcp');
  const bin = join(ROOT, 'bin', 'gatehouse');
  writeFileSync(
    script,
    `#!/bin/sh
exec '${bin}' mcp --data-dir '${gatehouse.dataDir}'
`,
    { mode: 0o755 },
  );
  const stdio = [script];
  for (const way of [http, stdio]) {
    const { tools } = JSON.parse(await run(...way, '--method', 'tools/list')) as { tools: { name: string }[] };
    assert.ok(tools.some(({ name }) => name === 'system_expose_service_publicly'));
    const made = await run(...way, '--method', 'tools/call', '--tool-name', 'system_list_exposures');
    assert.match(made, /"exposures": \[\]/);
    const refused = await run(
      ...way,
      '--method',
      'tools/call',
      '--tool-name',
      'system_expose_service_publicly',
      '--tool-arg',
      'service_hostname=x.localhost',
    ).catch(String);
    assert.match(refused, /exactly one of target_peer_id and target_instance_id is required/);
    const read = await run(...way, '--method', 'resources/read', '--uri', 'gatehouse://missions');
    assert.match(read, /application\/json/);
    assert.match(
      await run(...way, '--method', 'resources/templates/list'),
      /gatehouse:\/\/certificates\/\{certificate\}/,
    );
  }
});
