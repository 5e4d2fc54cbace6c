// npm run bench:many-domains [-- NAMES]: a bulk import by the command line as a person does it, 10,000 names a file, and
// how long lists and single answers of the API take when all of them are there.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { startGatehouse } from '../test/fixtures/gatehouse.ts';
import { temporaryDirectory } from '../test/fixtures/temporary.ts';

const NAMES = Number(process.argv[2] ?? 20_000);
const PER_FILE = 10_000;
const ROUNDS = 200;

const at = (sorted: number[], share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;

test(`${NAMES} domains`, { timeout: 1_200_000 }, async (t) => {
  const gatehouse = await startGatehouse(t);
  const { api, admin_token: token } = gatehouse.ready;
  const get = async (path: string) => {
    const answer = await fetch(`${api}/api/v1${path}`, { headers: { authorization: `Bearer ${token}` } });
    if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
    return (await answer.json()) as { data: { domain: string }[]; page: { next_cursor: string | null } };
  };
  const cli = async (...argv: string[]) => {
    const { code, stdout, stderr } = await gatehouse.cli(...argv);
    if (code !== 0) throw new Error(`${argv.join(' ')}: ${code} ${stderr}`);
    return stdout;
  };
  await cli('apps', 'create', 'many', '--upstream', 'http://127.0.0.1:3000');
  const scratch = temporaryDirectory(t);
  for (let from = 0; from < NAMES; from += PER_FILE) {
    const lines = Array.from({ length: Math.min(PER_FILE, NAMES - from) }, (_, i) => `name${from + i}.localhost,yes`);
    const file = join(scratch, `names-${from}.csv`);
    // One line that cannot be claimed, so that the report has something to say.
    writeFileSync(file, ['domain,on_demand', ...lines.slice(0, -1), 'no name,yes', ''].join('\n'));
    const start = performance.now();
    const report = await cli('domains', 'import', file, '--app', 'many').catch((error: Error) => error.message);
    const seconds = (performance.now() - start) / 1000;
    console.log(
      `import of ${lines.length}: ${seconds.toFixed(1)} s, ${(lines.length / seconds).toFixed(0)} names a second`,
    );
    console.log(report.trim().split('\n').slice(-3).join('\n'));
  }
  const middle = (await get('/apps/many/domains?limit=500&prefix=name5')).page.next_cursor ?? '';
  const asked: Record<string, string> = {
    'first page of 50': '/apps/many/domains?limit=50',
    'a page of 50 in the middle': `/apps/many/domains?limit=50&cursor=${encodeURIComponent(middle)}`,
    'page of 500': '/apps/many/domains?limit=500',
    'of all apps, by prefix': '/domains?limit=50&prefix=name12',
    'that are local': '/domains?limit=50&dns_state=local',
    'that wait for DNS (none)': '/domains?limit=50&dns_state=missing',
    'one domain': '/apps/many/domains/name77.localhost',
    'ingress routes, page of 50': '/system/ingress_routes?limit=50',
  };
  for (const [what, path] of Object.entries(asked)) {
    const times: number[] = [];
    for (let i = 0; i < ROUNDS; i++) {
      const start = performance.now();
      await get(path);
      times.push(performance.now() - start);
    }
    const sorted = times.toSorted((a, b) => a - b);
    console.log(`${what}: p50 ${at(sorted, 0.5).toFixed(1)} ms, p99 ${at(sorted, 0.99).toFixed(1)} ms`);
  }
});
