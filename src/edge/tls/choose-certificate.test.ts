import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Candidate, chooseCertificate } from './choose-certificate.ts';

const NOW = 100;
const candidate = (more: Partial<Candidate> = {}): Candidate => ({
  names: ['a.shop.example'],
  notBefore: 0,
  notAfter: 200,
  ...more,
});
const names = ['*.shop.example'];

// Each: the one that is to be served, and one that it is to be preferred to.
const CASES: [title: string, better: Candidate, worse: Candidate][] = [
  ['the one that lasts longest', candidate({ notAfter: 300 }), candidate()],
  ['an exact name before a wildcard', candidate(), candidate({ names, notAfter: 300 })],
  ['a wildcard in its time before an exact one that expired', candidate({ names }), candidate({ notAfter: 50 })],
  ['production before staging that lasts longer', candidate(), candidate({ staging: true, notAfter: 300 })],
  ['a wildcard of production before an exact staging one', candidate({ names }), candidate({ staging: true })],
  ['production that expired before staging', candidate({ notAfter: 50 }), candidate({ staging: true })],
  ['of two staging ones the exact', candidate({ staging: true }), candidate({ names, staging: true })],
];

for (const [title, better, worse] of CASES)
  test(`chosen for a name: ${title}`, () => {
    assert.equal(chooseCertificate([better, worse], 'a.shop.example', NOW), better);
    assert.equal(chooseCertificate([worse, better], 'a.shop.example', NOW), better);
  });

test('chosen for a name: a staging one where there is no other', () => {
  const only = candidate({ staging: true });
  assert.equal(chooseCertificate([only], 'a.shop.example', NOW), only);
});
