// node test/run.ts unit|all|peers [--require] [FILE…]
// unit: what runs in memory and on loopback. all: also what needs Debian's packages, which it installs when it may.
// peers: also peers from PyPI and Go modules; with --require, a peer that cannot be had is a failure.
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';

const [selection = 'unit', ...rest] = process.argv.slice(2);
const SELECTIONS: Record<string, string[]> = {
  unit: ['src/**/*.test.ts'],
  all: ['src/**/*.test.ts', 'test/**/*.test.ts'],
  peers: ['test/peers/**/*.peers.ts'],
};
const patterns = SELECTIONS[selection];
if (patterns === undefined) {
  console.error(`there is no selection ${selection}; there are ${Object.keys(SELECTIONS).join(', ')}`);
  process.exit(2);
}
const named = rest.filter((argument) => !argument.startsWith('--'));
const files = named.length > 0 ? named : patterns.flatMap((pattern) => globSync(pattern)).sort();

const steps: [string, string, string[]][] =
  selection === 'all' && named.length === 0
    ? [
        ['lint', 'npm', ['run', '--silent', 'lint']],
        ['types', 'npm', ['run', '--silent', 'types']],
      ]
    : [];
for (const [name, command, commandArguments] of steps) {
  const { status } = spawnSync(command, commandArguments, { stdio: 'inherit' });
  if (status !== 0) {
    console.error(`${name} failed`);
    console.log('0 passed, 1 failed');
    process.exit(1);
  }
}
const { status } = spawnSync(
  process.execPath,
  [
    '--disable-warning=ExperimentalWarning',
    '--test',
    '--test-concurrency=2',
    '--test-timeout=300000',
    '--test-reporter=./test/reporter.ts',
    '--test-reporter-destination=stdout',
    ...files,
  ],
  { stdio: 'inherit', env: { ...process.env, GATEHOUSE_REQUIRE_PEERS: rest.includes('--require') ? '1' : '' } },
);
process.exit(status ?? 1);
