import assert from 'node:assert/strict';
import { test } from 'node:test';
import { grantValue, type PersistentGrant, parseGrantValue, planGrant, type WantedGrant } from './persistent-grant.ts';

const DAY = 24 * 3600_000;
const NOW = Date.UTC(2026, 0, 1, 12);
const accountUrl = 'https://ca.example/acct/1';
const wanted: WantedGrant = { issuers: ['ca.example', 'ca2.example'], accountUrl, wildcard: false };
const held = (change: Partial<PersistentGrant> = {}): PersistentGrant => ({
  issuer: 'ca.example',
  accountUrl,
  wildcard: false,
  until: (NOW + 200 * DAY) / 1000,
  ...change,
});

const CASES: [title: string, grant: PersistentGrant, wish: Partial<WantedGrant>, kept: boolean][] = [
  ['good', held(), {}, true],
  ["by another of the CA's names", held({ issuer: 'ca2.example' }), {}, true],
  ['more than is wanted', held({ wildcard: true }), {}, true],
  ['less than is wanted', held(), { wildcard: true }, false],
  ['for another account', held({ accountUrl: `${accountUrl}2` }), {}, false],
  ['for another issuer', held({ issuer: 'other.example' }), {}, false],
  ['in its last third', held({ until: (NOW + 121 * DAY) / 1000 }), {}, false],
  ['ended', held({ until: NOW / 1000 - 1 }), {}, false],
];

for (const [title, grant, wish, kept] of CASES)
  test(`a record that is ${title} ${kept ? 'stays' : 'is replaced'}`, () => {
    const plan = planGrant([grant], { ...wanted, ...wish }, NOW);
    if (kept) return assert.deepEqual(plan, { keep: grant });
    assert.ok('publish' in plan);
    assert.equal(plan.publish.wildcard, wish.wildcard ?? false);
    assert.equal(plan.publish.until, Date.UTC(2027, 0, 1) / 1000);
    assert.deepEqual(parseGrantValue(grantValue(plan.publish)), plan.publish);
  });

test('what a CA says gets into no record unless it is a name, and the URL a URL', () => {
  const plan = planGrant(
    [],
    { ...wanted, issuers: ['a; policy=wildcard', 'x y', '', 'Ca.Example', 'ca.example'] },
    NOW,
  );
  assert.ok('publish' in plan && plan.publish.issuer === 'ca.example');
  assert.throws(() => planGrant([], { ...wanted, issuers: ['a;b'] }, NOW), { code: 'ca_answer_unexpected' });
  for (const url of [
    'https://ca.example/a;b',
    'https://ca.example/a b',
    'http://ca.example/1',
    `https://${'a'.repeat(250)}`,
  ])
    assert.throws(() => grantValue(held({ accountUrl: url })), { code: 'ca_answer_unexpected' });
  assert.equal(parseGrantValue('ca.example; accounturi=https://ca.example/1'), undefined);
});
