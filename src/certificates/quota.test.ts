import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { openMemoryStore } from '../store/index.ts';
import {
  giveBack,
  isExempt,
  LETS_ENCRYPT_LIMITS,
  leftOf,
  limitKeys,
  RECOUNT_AFTER_MS,
  recounted,
  recountLimit,
  reserveLimit,
  useLimit,
} from './quota.ts';
import { countFailures, defaultLimits, forecastQuota, giveBackQuota, reserveQuota } from './quota-ledger.ts';

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

/**
 * Orders of an account, or certificates of a domain, asked for in bursts, by a CA that is away until each seventh hour for
 * some of them: before it takes the order, or before it issues. Answers how many orders it refuses by its own count.
 */
function refusedByCa(counts: 'order' | 'certificate', wishes: readonly Wish[]): number {
  const most = { ...limit('orders'), most: 20, counts };
  const nextReturn = (time: number) => DAY + Math.ceil((time - DAY + 1) / (7 * HOUR)) * 7 * HOUR;
  let [ours, theirs, refused, now] = [0, 0, 0, DAY];
  const events: { at: number; run(): void }[] = [];
  const at = (time: number, run: () => void) => void events.push({ at: time, run });
  for (const { burst, delay, draw, way, isLong, fails } of wishes) {
    let since = 0;
    let waits = counts === 'order' && isLong;
    const reserve = () => {
      const use = reserveLimit(most, ours, now);
      if ('waitUntil' in use) return at(use.waitUntil, reserve);
      [ours, since] = [use.fullAt, now];
      at(waits ? nextReturn(now) + delay : now + draw, send);
    };
    const send = () => {
      if (now - since > RECOUNT_AFTER_MS) {
        const use = recountLimit(most, ours, since, now);
        // Nothing was asked of the CA, so what it took is given back, and it is tried anew.
        if ('waitUntil' in use) {
          ours = giveBack(most, ours, since, now);
          waits = false;
          return at(use.waitUntil, reserve);
        }
        [ours, since] = [use.fullAt, now];
      }
      at(now + (counts === 'order' ? way : 0), arrive);
    };
    const arrive = () => {
      // It looks at all its counts when it is asked for an order, and counts a certificate when it issues it.
      const use = useLimit(most, theirs, now);
      if ('waitUntil' in use) refused++;
      else if (counts === 'order') theirs = use.fullAt;
      at(isLong ? nextReturn(now) + delay : now + 20 * draw, fails ? fail : issue);
    };
    const fail = () => {
      if (counts === 'certificate') ours = giveBack(most, ours, since, now);
    };
    const issue = () => {
      if (counts === 'order') return;
      if (now - since > RECOUNT_AFTER_MS) ours = recounted(most, ours, since, now);
      theirs = Math.max(theirs, now) + most.periodMs / most.most;
    };
    at(DAY + burst * 7 * HOUR + 4 * delay, reserve);
  }
  while (events.length > 0) {
    events.sort((a, b) => b.at - a.at);
    const next = events.pop()!;
    now = next.at;
    next.run();
  }
  return refused;
}

const wish = fc.record({
  burst: fc.integer({ min: 0, max: 3 }),
  delay: fc.integer({ min: 0, max: 10 * MINUTE }),
  draw: fc.integer({ min: 0, max: 40_000 }),
  way: fc.integer({ min: 0, max: 30_000 }),
  isLong: fc.constantFrom(true, true, true, false),
  fails: fc.constantFrom(true, false, false),
});
type Wish = typeof wish extends fc.Arbitrary<infer W> ? W : never;

for (const counts of ['order', 'certificate'] as const)
  test(`a CA never refuses by its count of ${counts}s what the ledger let go, however long each is on its way`, () => {
    const wishes = fc.array(wish, { minLength: 120, maxLength: 180 });
    fc.assert(
      fc.property(wishes, (some) => refusedByCa(counts, some) === 0),
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
  assert.equal((await reserve(DAY + 5))?.waitUntil, DAY + 15 * MINUTE);
  assert.equal(await reserve(DAY + 15 * MINUTE), undefined);
  const now = DAY + 15 * MINUTE + 10;
  const refused = await reserve(now);
  assert.equal(refused?.limit.id, 'same-names');
  assert.ok(refused.waitUntil > DAY + 1.3 * DAY && refused.waitUntil < DAY + 1.5 * DAY);
  assert.equal(await reserve(now, 'replacement'), undefined);
  const forecast = await forecastQuota(store.db, issuer, now, names);
  assert.deepEqual(
    forecast.map(({ used, most }) => [used, most]),
    [
      [1, 300],
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
    await store.write(async (tx) => {
      await giveBackQuota(tx, issuer, names, 'new', { since: now, now, ordered: true });
      await countFailures(tx, issuer, ['a.example.com'], now);
    });
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
