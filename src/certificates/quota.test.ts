import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { openMemoryStore } from '../store/index.ts';
import { isExempt, LETS_ENCRYPT_LIMITS, leftOf, limitKeys, longestWay, reserveLimit, useLimit } from './quota.ts';
import { defaultLimits, forecastQuota, reserveQuota, settleFailure } from './quota-ledger.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
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

test('a CA never refuses what the ledger let go, however long each order was on its way', () => {
  const order = fc.record({
    gap: fc.integer({ min: 0, max: 30_000 }),
    way: fc.integer({ min: 0, max: longestWay(limit('orders')) }),
  });
  fc.assert(
    fc.property(fc.array(order, { minLength: 300, maxLength: 500 }), (orders) => {
      const most = limit('orders');
      let now = DAY;
      let ours = 0;
      const arrivals: number[] = [];
      for (const { gap, way } of orders) {
        now += gap;
        let use = reserveLimit(most, ours, now);
        if ('waitUntil' in use) {
          now = use.waitUntil;
          use = reserveLimit(most, ours, now);
        }
        assert.ok('fullAt' in use);
        ours = use.fullAt;
        arrivals.push(now + way);
      }
      let theirs = 0;
      for (const at of arrivals.sort((a, b) => a - b)) {
        const use = useLimit(most, theirs, at);
        assert.ok('fullAt' in use);
        theirs = use.fullAt;
      }
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
  for (let i = 0; i < 4; i++) assert.equal(await reserve(DAY + i), undefined);
  // The last place is given once the first order has reached the CA for certain.
  assert.equal((await reserve(DAY + 5))?.waitUntil, DAY + MINUTE);
  assert.equal(await reserve(DAY + MINUTE), undefined);
  const now = DAY + MINUTE + 10;
  const refused = await reserve(now);
  assert.equal(refused?.limit.id, 'same-names');
  assert.ok(refused.waitUntil > DAY + 1.3 * DAY && refused.waitUntil < DAY + 1.5 * DAY);
  assert.equal(await reserve(now, 'replacement'), undefined);
  const forecast = await forecastQuota(store.db, issuer, now, names);
  assert.deepEqual(
    forecast.map(({ used, most }) => [used, most]),
    [
      [4, 300],
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
  const later = DAY + MINUTE;
  for (const now of [DAY, DAY, DAY, DAY, later]) {
    assert.equal(await store.write((tx) => reserveQuota(tx, issuer, names, 'new', now)), undefined);
    const outcome = { failedNames: ['a.example.com'], ordered: true };
    await store.write((tx) => settleFailure(tx, issuer, names, 'new', outcome, now));
  }
  const refused = await store.write((tx) => reserveQuota(tx, issuer, names, 'new', later));
  assert.deepEqual([refused?.limit.id, refused?.key], ['failures', 'a.example.com']);
  const forecast = await forecastQuota(store.db, issuer, later, names);
  assert.deepEqual(
    forecast.map(({ scope, used }) => [scope, used]),
    [
      ['account', 4],
      ['example.com', 0],
      ['a.example.com,b.example.com', 0],
      ['a.example.com', 5],
      ['b.example.com', 0],
    ],
  );
  await store.close();
});
