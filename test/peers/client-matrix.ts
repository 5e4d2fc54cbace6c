// npm run clients: runs every test with a foreign ACME client against our server and writes what they did into
// docs/acme-clients.md, between its two markers.
import { spawnSync } from 'node:child_process';
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ClientResult, matrixTable } from '../fixtures/client-matrix.ts';

const work = mkdtempSync(join(tmpdir(), 'gatehouse-clients-'));
const results = join(work, 'results');
const files = globSync('test/peers/clients/*.{test,peers}.ts').sort();
const { status } = spawnSync(process.execPath, ['test/run.ts', 'all', ...files], {
  stdio: 'inherit',
  env: { ...process.env, GATEHOUSE_CLIENT_MATRIX: results },
});
const lines = existsSync(results) ? readFileSync(results, 'utf8').trim().split('\n') : [];
rmSync(work, { recursive: true });
const table = matrixTable(lines.map((line) => JSON.parse(line) as ClientResult));
const FILE = 'docs/acme-clients.md';
const [before, rest] = readFileSync(FILE, 'utf8').split('<!-- matrix -->\n');
const after = rest!.split('<!-- /matrix -->')[1]!;
writeFileSync(FILE, `${before}<!-- matrix -->\n${table}\n<!-- /matrix -->${after}`);
process.exit(status ?? 1);
