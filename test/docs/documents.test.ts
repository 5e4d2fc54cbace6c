// Documents are run, not written. Above each shell, YAML or JSON block of README.md and docs/ stands a comment that says
// how it is proven:
//   <!-- run -->                  executed here against a running Gatehouse, in order, ports and paths put in
//   <!-- config up -->            a whole configuration file of `gatehouse up` (or `proxy`), which must be accepted
//   <!-- same-as FILE -->         equal to a file of the repository, byte for byte
//   <!-- proven-by TEST -->       another test takes it from the document and uses it
//   <!-- example: REASON -->      cannot be had here (a public CA, a cluster); its commands and flags are still checked
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { type Block, blocksOf } from '../fixtures/documents.ts';
import { ROOT, runCli, startGatehouse } from '../fixtures/gatehouse.ts';
import { startSampleUpstream } from '../fixtures/sample-upstream.ts';
import { temporaryDirectory } from '../fixtures/temporary.ts';

const run = promisify(execFile);
const documents = ['README.md', ...globSync('docs/**/*.md', { cwd: ROOT })].sort();
const blocks = documents
  .flatMap((path) => blocksOf(path))
  .filter(({ language }) => ['sh', 'bash', 'console', 'yaml', 'yml', 'json'].includes(language));

test('every block of the documents says how it is proven', () => {
  const unproven = blocks.filter(
    ({ proof }) => !/^(run|config (up|proxy)|same-as \S+|proven-by \S+|example: .+)$/.test(proof),
  );
  assert.deepEqual(
    unproven.map(({ place }) => place),
    [],
  );
});

for (const block of blocks) {
  const [kind, argument] = block.proof.split(/ (.*)/);
  if (kind === 'same-as')
    test(`${block.place} is ${argument}`, () => assert.equal(block.text, readFileSync(join(ROOT, argument!), 'utf8')));
  if (kind === 'proven-by')
    test(`${block.place} is proven by ${argument}`, () => {
      const path = join(ROOT, argument!);
      assert.ok(existsSync(path), `${argument} is not there`);
      assert.match(readFileSync(path, 'utf8'), /blocksOf\(/, `${argument} takes no block from a document`);
    });
  if (kind === 'config')
    test(`${block.place} is a configuration that is accepted`, async (t) => {
      const file = join(temporaryDirectory(t), 'config.yaml');
      writeFileSync(file, block.text);
      const { code, stderr } = await runCli(['config', 'check', file, '--kind', argument!]);
      assert.equal(code, 0, stderr);
    });
}

for (const path of documents) {
  const runnable = blocks.filter(({ place, proof }) => place.startsWith(`${path}:`) && proof === 'run');
  if (runnable.length === 0) continue;
  test(`the commands of ${path} run`, async (t) => {
    const upstream = await startSampleUpstream(t);
    const gatehouse = await startGatehouse(t);
    const scratch = temporaryDirectory(t);
    for (const block of runnable) {
      const env = { ...process.env, GATEHOUSE_DATA_DIR: gatehouse.dataDir, SCRATCH: scratch };
      const script = `set -euo pipefail\n${ported(block, gatehouse.ready, upstream.port)}`;
      await run('bash', ['-c', script], { cwd: ROOT, env, timeout: 120_000 }).catch((error) => {
        assert.fail(`${block.place}: ${error.message}\n${error.stdout}`);
      });
    }
  });
}

/** The block with the ports and addresses that documents name replaced by those of this run. */
function ported(block: Block, ready: { edge_https: string; edge_http: string; api: string }, upstream: number): string {
  return block.text
    .replaceAll('127.0.0.1:3000', `127.0.0.1:${upstream}`)
    .replaceAll(':8443', `:${new URL(ready.edge_https).port}`)
    .replaceAll(':8080', `:${new URL(ready.edge_http).port}`)
    .replaceAll(':8440', `:${new URL(ready.api).port}`);
}
