import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type CachedFacts, type KeepingFacts, planKeeping, renewalTime } from './plan-keeping.ts';

const DAY = 86_400_000;
const NOW = Date.UTC(2026, 0, 1);
const facts = (given: Partial<KeepingFacts>): KeepingFacts => ({
  cached: undefined,
  failures: 0,
  lastAttemptAt: undefined,
  notBefore: undefined,
  window: undefined,
  ...given,
});
const cached = (given: Partial<CachedFacts> = {}): CachedFacts => ({
  fingerprint: '80000000',
  notBefore: NOW - DAY,
  notAfter: NOW + 89 * DAY,
  covers: true,
  ...given,
});

test('a certificate is got when there is none, it ended, lacks a name, or is due', () => {
  const why = (given: Partial<KeepingFacts>) => {
    const plan = planKeeping(facts(given), NOW);
    return plan.step === 'obtain' ? plan.why : plan.step;
  };
  assert.equal(why({}), 'missing');
  assert.equal(why({ cached: cached({ notAfter: NOW }) }), 'expired');
  assert.equal(why({ cached: cached({ covers: false }) }), 'names');
  assert.equal(why({ cached: cached({ notBefore: NOW - 80 * DAY, notAfter: NOW + 10 * DAY }) }), 'due');
  assert.equal(why({ cached: cached() }), 'rest');
  assert.equal(why({ cached: cached(), window: { start: NOW - DAY, end: NOW } }), 'due');
  assert.equal(
    why({
      cached: cached({ notBefore: NOW - 80 * DAY, notAfter: NOW + 10 * DAY }),
      window: { start: NOW + DAY, end: NOW + 2 * DAY },
    }),
    'rest',
  );
});

test('failures wait longer each time, up to six hours, and never come before what the CA said', () => {
  const until = (given: Partial<KeepingFacts>) => {
    const plan = planKeeping(facts({ lastAttemptAt: NOW, ...given }), NOW);
    return plan.step === 'rest' ? plan.until - NOW : 0;
  };
  assert.deepEqual(
    [1, 2, 3, 20].map((failures) => until({ failures }) / 60_000),
    [1, 2, 4, 360],
  );
  assert.equal(until({ failures: 1, notBefore: NOW + DAY }), DAY);
});

test('certificates of any lifetime are renewed in their second half, and well before their end', () => {
  fc.assert(
    fc.property(fc.constantFrom(6, 45, 64, 90, 200), fc.stringMatching(/^[0-9a-f]{8}$/), (days, fingerprint) => {
      const at = renewalTime(cached({ fingerprint, notBefore: NOW, notAfter: NOW + days * DAY }), undefined);
      const share = (at - NOW) / (days * DAY);
      assert.ok(share >= 0.49 && share <= 2 / 3, `${share}`);
    }),
  );
});
