import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { FAILURE_CLASSES } from '../store/certificates.ts';
import { BACKOFF } from './failure.ts';

const inWords = (ms: number): string =>
  ms < 60_000 ? `${ms / 1000} s` : ms < 3_600_000 ? `${ms / 60_000} min` : `${ms / 3_600_000} h`;

test('the runbook has each class of failure with the waits of the product', () => {
  const runbook = readFileSync(new URL('../../docs/certificates.md', import.meta.url), 'utf8');
  const rows = [...runbook.matchAll(/^\| `([a-z-]+)` \| [^|]+ \| ([^|]+) \| ([^|]+) \|$/gm)];
  assert.deepEqual(rows.map(([, failure]) => failure).toSorted(), [...FAILURE_CLASSES].toSorted());
  for (const [, failure, waits, advice] of rows) {
    const { first, most } = BACKOFF[failure as keyof typeof BACKOFF];
    assert.ok(waits!.endsWith(`${inWords(first)} to ${inWords(most)}`), `${failure}: ${waits}`);
    assert.ok(advice!.length > 20);
  }
});
