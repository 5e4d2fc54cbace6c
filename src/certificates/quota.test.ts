import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { openMemoryStore } from '../store/index.ts';
import { isExempt, LETS_ENCRYPT_LIMITS, leftOf, limitKeys, useLimit } from './quota.ts';
import { defaultLimits, forecastQuota, reserveQuota, settleFailure } from './quota-ledger.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const issuer = { id: 'letsencrypt-prod', limits: defaultLimits };
const limit = (id: string) => LETS_ENCRYPT_LIMITS.find((one) => one.id === id)!;

test('a limit is never exceeded in its period after the first burst, whatever the order of uses', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 12 * HOUR }), { minLength: 50, maxLength: 400 }), (gaps) => {
      const domain = limit('domain');
      let now = DAY;
      let fullAt = 0;
      const uses: number[] = [];
      for (const gap of gaps) {
        now += gap;
        const left = leftOf(domain, fullAt, now);
        const use = useLimit(domain, fullAt, now);
        assert.equal('fullAt' in use, left > 0);
        if ('fullAt' in use) {
          fullAt = use.fullAt;
          uses.push(now);
        } else
          assert.ok(useLimit(domain, fullAt, use.waitUntil) && 'fullAt' in useLimit(domain, fullAt, use.waitUntil));
      }
      // What a bucket of 50 that refills in seven days allows in any span.
      for (let i = 0; i < uses.length; i++)
        for (let j = i; j < uses.length; j++)
          assert.ok(j - i + 1 <= 50 + (uses[j]! - uses[i]!) / (domain.periodMs / 50) + 1);
    }),
    { numRuns: 30 },
  );
});

test('what counts for what: registered domains, the same set of names, replacements exempt', () => {
  assert.deepEqual(limitKeys(limit('domain'), ['a.example.com', '*.example.com', 'b.example.co.uk']), [
    'example.com',
    'example.co.uk',
  ]);
  assert.ok(isExempt(limit('domain'), 'renewal') && isExempt(limit('same-names'), 'replacement'));
  assert.ok(!isExempt(limit('same-names'), 'renewal') && !isExempt(limit('failures'), 'replacement'));
});

test('the ledger says wait before the CA does, and forecasts what is left', async () => {
  const store = await openMemoryStore();
  const names = ['shop.example.com'];
  const reserve = (now: number, nature: 'new' | 'replacement' = 'new') =>
    store.write((tx) => reserveQuota(tx, issuer, names, nature, now));
  for (let i = 0; i < 5; i++) assert.equal(await reserve(DAY + i), undefined);
  const refused = await reserve(DAY + 10);
  assert.equal(refused?.limit.id, 'same-names');
  assert.ok(refused.waitUntil > DAY + 1.3 * DAY && refused.waitUntil < DAY + 1.5 * DAY);
  assert.equal(await reserve(DAY + 10, 'replacement'), undefined);
  const forecast = await forecastQuota(store.db, issuer, DAY + 10, names);
  assert.deepEqual(
    forecast.map(({ used, most }) => [used, most]),
    [
      [5, 300],
      [5, 50],
      [5, 5],
      [0, 5],
    ],
  );
  assert.equal(await reserve(refused.waitUntil), undefined);
  await store.close();
});

test('an order that led nowhere gives back its certificate and counts the name that failed', async () => {
  const store = await openMemoryStore();
  const names = ['a.example.com', 'b.example.com'];
  for (let i = 0; i < 5; i++) {
    assert.equal(await store.write((tx) => reserveQuota(tx, issuer, names, 'new', DAY)), undefined);
    const outcome = { failedNames: ['a.example.com'], ordered: true };
    await store.write((tx) => settleFailure(tx, issuer, names, 'new', outcome, DAY));
  }
  const refused = await store.write((tx) => reserveQuota(tx, issuer, names, 'new', DAY));
  assert.deepEqual([refused?.limit.id, refused?.key], ['failures', 'a.example.com']);
  const forecast = await forecastQuota(store.db, issuer, DAY, names);
  assert.deepEqual(
    forecast.map(({ scope, used }) => [scope, used]),
    [
      ['account', 5],
      ['example.com', 0],
      ['a.example.com,b.example.com', 0],
      ['a.example.com', 5],
      ['b.example.com', 0],
    ],
  );
  await store.close();
});
