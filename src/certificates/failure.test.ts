import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { FAILURE_CLASSES } from '../store/certificates.ts';
import { BACKOFF, comeBackWithin } from './failure.ts';
import { isWantedBack } from './renewal-time.ts';

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
  assert.equal(within({ servedUntil: 60 * DAY }), 4 * DAY);
  assert.equal(within({ servedUntil: 30 * DAY }), 3 * DAY);
  assert.equal(within({ servedUntil: 2 * DAY }), 288 * MINUTE);
  assert.equal(within({ servedUntil: 60 * DAY, awaySince: -5 * HOUR }), 15 * HOUR, 'it was away for a short time');
  assert.equal(within({ servedUntil: 60 * DAY, awaySince: -MINUTE }), HOUR / 2);
  assert.equal(within({ servedUntil: -HOUR }), MINUTE, 'it has lapsed');
  assert.equal(within({}), 1.5 * MINUTE, 'there is none yet');
  assert.equal(within({ servedUntil: 30 * DAY, hurried: true }), HOUR / 2, 'somebody asked');
});

test('a window that went by in an outage is no hurry; one that the CA moved to the past, or far too early, is', () => {
  const DAY = 24 * 3_600_000;
  const validity = { notBefore: 0, notAfter: 90 * DAY };
  const info = { versionId: 'v', start: 58 * DAY, end: 60 * DAY, askAgainAt: 0, renewAt: 0 };
  assert.equal(isWantedBack(info, validity, 59 * DAY), false, 'in the window');
  assert.equal(isWantedBack(info, validity, 63 * DAY), false);
  assert.equal(isWantedBack({ ...info, movedEarlier: true }, validity, 63 * DAY), true);
  assert.equal(isWantedBack({ ...info, start: DAY, end: 2 * DAY }, validity, 3 * DAY), true);
  assert.equal(isWantedBack({ ...info, start: 0, end: 0 }, validity, 3 * DAY), false, 'no window');
});

test('after an outage of any length no hour has more than its share, and none waits past a tenth of what is left', () => {
  fc.assert(
    fc.property(
      fc.record({
        seed: fc.integer(),
        hours: fc.integer({ min: 1, max: 100 }),
        lifetime: fc.constantFrom(45, 64, 90, 200),
        share: fc.integer({ min: 5, max: 50 }),
      }),
      ({ seed, hours, lifetime, share }) => {
        const HOUR = 3_600_000;
        let state = seed >>> 0;
        const random = () => {
          state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
          return state / 2 ** 32;
        };
        // In each hour of the outage `share` came due, a third of their lifetime before their end.
        const waiting = Array.from({ length: hours * share }, (_, i) => {
          const servedUntil = (lifetime / 3) * 24 * HOUR - (hours - i / share) * HOUR;
          return {
            servedUntil,
            within: comeBackWithin({ now: 0, servedUntil, awaySince: -hours * HOUR, hurried: false }),
          };
        });
        const times = waiting.map(({ within }) => random() * within);
        for (const [i, { servedUntil }] of waiting.entries())
          assert.ok(times[i]! <= Math.max(60_000, servedUntil / 10));
        const perHour = new Map<number, number>();
        for (const time of times) perHour.set(Math.floor(time / HOUR), (perHour.get(Math.floor(time / HOUR)) ?? 0) + 1);
        // What the shortest wait spreads over its hours, and what chance adds (six standard deviations).
        const shortest = Math.max(1, Math.min(...waiting.map(({ within }) => within)) / HOUR);
        const even = waiting.length / shortest;
        assert.ok(Math.max(...perHour.values()) <= even + 6 * Math.sqrt(even) + 1);
      },
    ),
    { numRuns: 50 },
  );
});
