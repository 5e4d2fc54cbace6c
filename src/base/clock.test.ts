import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createVirtualClock } from './clock.ts';

test('a virtual clock wakes sleepers in order of their time', async () => {
  const clock = createVirtualClock(0);
  const seen: string[] = [];
  const late = clock.sleep(20).then(() => seen.push(`late ${clock.now()}`));
  const early = clock.sleep(10).then(() => seen.push(`early ${clock.now()}`));
  await clock.advance(30);
  await Promise.all([late, early]);
  assert.deepEqual(seen, ['early 10', 'late 20']);
  assert.equal(clock.now(), 30);
});

test('a sleeper that sleeps again inside an advance wakes again inside it', async () => {
  const clock = createVirtualClock(0);
  let rounds = 0;
  const loop = (async () => {
    for (; rounds < 3; rounds++) await clock.sleep(10);
  })();
  await clock.advance(30);
  await loop;
  assert.equal(rounds, 3);
});

test('an aborted sleep rejects with the reason and leaves no sleeper', async () => {
  const clock = createVirtualClock(0);
  const abort = new AbortController();
  const sleeping = clock.sleep(10, abort.signal);
  abort.abort(new Error('stop'));
  await assert.rejects(sleeping, /stop/);
  assert.equal(clock.nextWake(), undefined);
});
