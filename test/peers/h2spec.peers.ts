import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { startPlane } from '../fixtures/edge-plane.ts';
import { needProgram } from '../fixtures/peer.ts';
import { cacheDirectory } from '../fixtures/pypi.ts';

/** h2spec built from Go modules, once. Its newest version has no go.mod, so a small module around it is needed. */
function needH2spec(t: TestContext): string | undefined {
  const home = join(cacheDirectory(), 'h2spec-2.2.1');
  const program = join(home, 'h2spec');
  if (existsSync(program)) return program;
  const go = needProgram(t, 'go') ?? '/usr/local/go/bin/go';
  mkdirSync(home, { recursive: true });
  writeFileSync(join(home, 'go.mod'), 'module h2spec.build\n');
  writeFileSync(join(home, 'build.go'), 'package build\n\nimport _ "github.com/summerwind/h2spec"\n');
  const steps = [
    ['get', 'github.com/summerwind/h2spec@v2.2.1+incompatible', 'github.com/spf13/cobra@v1.10.2'],
    ['build', '-o', program, 'github.com/summerwind/h2spec/cmd/h2spec'],
  ];
  for (const step of steps) {
    const { status, stderr } = spawnSync(go, step, { cwd: home, encoding: 'utf8' });
    if (status === 0) continue;
    const reason = `h2spec could not be built: ${stderr?.trim().split('\n').at(-1)}`;
    if (process.env.GATEHOUSE_REQUIRE_PEERS === '1') throw new Error(reason);
    t.skip(reason);
    return undefined;
  }
  return program;
}

test('h2spec finds nothing', async (t) => {
  const h2spec = needH2spec(t);
  if (h2spec === undefined) return;
  // It answers what it has read whole: an early answer would be allowed to come before an error.
  const server = createServer((request, response) => {
    request.resume().on('end', () => response.end('x'.repeat(1024)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
  const { port } = await startPlane(t, {
    tls: true,
    routes: [{ id: 'r1', host: '127.0.0.1', path: '/', upstreams: [{ url }] }],
  });
  const run = promisify(execFile)(h2spec, ['-h', '127.0.0.1', '-p', String(port), '-t', '-k', '-o', '5']);
  const { stdout } = await run.catch((error: { stdout: string }) => error);
  assert.match(stdout, /\d+ tests, \d+ passed, 0 skipped, 0 failed/, stdout.slice(stdout.indexOf('Failures:')));
});
