import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { FAILURE_CLASSES } from '../store/certificates.ts';
import { BACKOFF, comeBackWithin } from './failure.ts';

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

test('those that an issuer kept waiting come back the later the more time is left', () => {
  const MINUTE = 60_000;
  const HOUR = 60 * MINUTE;
  const DAY = 24 * HOUR;
  const within = (more: Partial<Parameters<typeof comeBackWithin>[0]>) =>
    comeBackWithin({ now: 0, hurried: false, ...more });
  assert.equal(within({ servedUntil: 60 * DAY }), DAY);
  assert.equal(within({ servedUntil: 30 * DAY }), 18 * HOUR);
  assert.equal(within({ servedUntil: 2 * DAY }), 72 * MINUTE);
  assert.equal(within({ servedUntil: -HOUR }), MINUTE, 'it has lapsed');
  assert.equal(within({}), 1.5 * MINUTE, 'there is none yet');
  assert.equal(within({ servedUntil: 30 * DAY, windowEnd: 5 * HOUR }), 5 * HOUR, 'inside the window of the CA');
  assert.equal(within({ servedUntil: 30 * DAY, windowEnd: -1 }), HOUR / 2, 'the window is over');
  assert.equal(within({ servedUntil: 30 * DAY, hurried: true }), HOUR / 2, 'somebody asked');
});
