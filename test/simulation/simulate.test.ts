import assert from 'node:assert/strict';
import { test } from 'node:test';
import { simulate } from './simulate.ts';

// The short form of `npm run simulate`: the same engine, store and faults, fewer certificates.
test('three hundred certificates through half a year: none lapses, no limit is broken, no order is wasted', async (t) => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  t.diagnostic(`seed ${seed}`);
  const report = await simulate({ certificates: 300, days: 180, seed, progress: (line) => t.diagnostic(line) });
  assert.equal(report.lapsed, 0, `seed ${seed}`);
  assert.equal(report.limitsBroken, 0, `seed ${seed}`);
  assert.ok(report.served >= 298, `${report.served} served, seed ${seed}`);
  assert.ok(report.ordersWasted <= report.kills, `${report.ordersWasted} wasted, seed ${seed}`);
  assert.ok(report.kills > 10 && report.issued > 900);
});
