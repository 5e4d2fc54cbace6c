import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isWithin, planNameConstraints } from './name-constraints.ts';

test('what is permitted is that and nothing of the other kind', () => {
  const names = planNameConstraints({ permitted: ['corp.example'], excluded: ['secret.corp.example'] })!;
  for (const good of ['corp.example', 'a.b.corp.example', '*.a.corp.example']) assert.ok(isWithin(good, names), good);
  for (const bad of ['example', 'xcorp.example', 'secret.corp.example', 'a.secret.corp.example', '*.corp.example'])
    assert.ok(!isWithin(bad, names), bad);
  for (const address of ['10.0.0.1', '::1']) assert.ok(!isWithin(address, names), address);
  const addresses = planNameConstraints({ permitted: ['10.16.0.0/12', 'fd00::/8'], excluded: [] })!;
  for (const good of ['10.16.0.1', '10.31.255.255', 'fd00::1']) assert.ok(isWithin(good, addresses), good);
  for (const bad of ['10.32.0.0', '11.16.0.1', 'fe80::1', 'a.example']) assert.ok(!isWithin(bad, addresses), bad);
  assert.equal(planNameConstraints({ permitted: [], excluded: [] }), undefined);
});
