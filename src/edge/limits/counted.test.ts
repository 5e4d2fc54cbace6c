import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLogger, systemClock } from '../../base/index.ts';
import { createPlane } from '../plane/plane.ts';
import { defaultSettings } from '../plane/settings.ts';
import { createConnectionCount } from './connections.ts';
import { type Counted, createCountExchange } from './counted.ts';
import { createRequestRate } from './rate.ts';

test('what one worker lets pass is gone from the bucket of the other', () => {
  const told: string[] = [];
  const [one, other] = [0, 1].map(() =>
    createRequestRate(
      1,
      3,
      () => false,
      (key) => told.push(key),
    ),
  );
  assert.ok(one!.take('192.0.2.1', 0) && one!.take('192.0.2.1', 0));
  assert.deepEqual(told, ['192.0.2.1', '192.0.2.1']);
  other!.heard('192.0.2.1', 2, 0);
  assert.deepEqual([other!.take('192.0.2.1', 0), other!.take('192.0.2.1', 0)], [true, false]);
  // Both had let pass what the bucket held before they heard of it: it is paid back, and no more than one bucket.
  one!.heard('192.0.2.1', 100, 0);
  assert.deepEqual([one!.take('192.0.2.1', 3_900), one!.take('192.0.2.1', 4_100)], [false, true]);
});

test('connections of other workers count, until they end or their worker does', () => {
  const count = createConnectionCount(
    () => ({ all: 5, perAddress: 2 }),
    () => false,
  );
  const exchange = createCountExchange((pid, { connections }) => {
    if (pid !== 1) for (const [key, number] of connections) count.heard(key, number);
  });
  exchange.heard(2, { requests: [], connections: [['192.0.2.1', 2]] });
  exchange.heard(3, { requests: [], connections: [['192.0.2.2', 1]] });
  assert.equal(count.admit('192.0.2.1'), 'connections_per_address');
  assert.equal(count.admit('192.0.2.2'), undefined);
  assert.equal(count.admit('192.0.2.3'), undefined);
  assert.equal(count.admit('192.0.2.4'), 'connections');
  assert.deepEqual(exchange.openElsewhere(3).connections, [['192.0.2.1', 2]]);
  exchange.ended(2);
  assert.equal(count.admit('192.0.2.1'), undefined);
});

test('a plane tells once what it counted, and a connection that came and went not at all', () => {
  const plane = createPlane({
    routes: { routesOf: () => [] },
    settings: defaultSettings,
    log: silentLogger,
    clock: systemClock,
  });
  assert.ok(plane.admit('::ffff:192.0.2.1') && plane.admit('192.0.2.2'));
  plane.release('192.0.2.2');
  const expected: Counted = { requests: [], connections: [['192.0.2.1', 1]] };
  assert.deepEqual(plane.counted(), expected);
  assert.deepEqual(plane.counted(), { requests: [], connections: [] });
  plane.close();
});
