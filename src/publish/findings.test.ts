import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { createTestAuthority } from '../../test/fixtures/certificate.ts';
import { sha256Hex } from '../base/index.ts';
import { deriveFindings, type FindingKind } from './findings.ts';
import type { Shown } from './shown.ts';

const HOUR = 3_600_000;
const NOW = Date.UTC(2026, 0, 10);
const authority = createTestAuthority(NOW);
const leaf = authority.issue(['a.example.com']).cert;
const digest = (pem: string) => sha256Hex(new X509Certificate(pem).raw);
const issued = { id: 'crt_1', version: 'ver_1', fingerprint: digest(leaf), notAfter: NOW + 90 * HOUR };
/** A second certificate above the leaf that is no root: any other leaf will do for a comparison of digests. */
const upper = authority.issue(['upper.example.com']).cert;
const right: Shown = {
  fingerprint: issued.fingerprint,
  serial: 'aa',
  issuerName: 'Test root',
  notAfter: issued.notAfter,
  selfSigned: false,
  above: [digest(upper)],
};
const delivered = { delivered: 'ver_1', delivered_at: NOW - 5 * HOUR };

const look = (shown: Shown | undefined, at = NOW - HOUR) => ({
  delivered_at: NOW - 6 * HOUR,
  seen: shown?.fingerprint ?? null,
  seen_at: at,
  seen_problem: shown === undefined ? 'connect ECONNREFUSED' : null,
  seen_facts: shown === undefined ? null : JSON.stringify(shown),
  seen_since: NOW - 9 * HOUR,
});

const CASES: [string, ReturnType<typeof look>, FindingKind[], RegExp?][] = [
  ['what was issued is shown', look(right), []],
  ['nothing is shown', look(undefined), ['nothing_shown'], /ECONNREFUSED/],
  ['another one is shown', look({ ...right, fingerprint: 'ff', serial: 'bb' }), ['differs'], /Test root, serial bb/],
  ['the default one is shown', look({ ...right, fingerprint: 'ff', selfSigned: true }), ['default_certificate']],
  ['the leaf is shown alone', look({ ...right, above: [] }), ['chain']],
  ['it expired', look({ ...right, notAfter: NOW - 1 }), ['expired'], /expired on 2026-01-09 23:59 UTC/],
  ['an old one is shown', look({ ...right, fingerprint: 'ff', notAfter: NOW - HOUR }), ['differs', 'expired']],
  ['another was delivered since', look({ ...right, fingerprint: 'ff' }, NOW - 7 * HOUR), []],
];

for (const [name, seen, kinds, detail] of CASES)
  test(`${name}: ${kinds.join(', ') || 'no finding'}`, () => {
    const found = deriveFindings({ ...issued, chain: leaf + upper + authority.ca }, delivered, seen, NOW);
    assert.deepEqual(
      found.map(({ kind }) => kind),
      kinds,
    );
    if (detail !== undefined) assert.match(found[0]!.detail, detail);
    // It cannot have been wrong for longer than it has been there.
    for (const { since, advice } of found) assert.ok(since >= delivered.delivered_at && since <= NOW && advice !== '');
  });

test('a version that is not delivered yet, and a place that nobody has looked at, give no finding', () => {
  const chain = leaf + authority.ca;
  const wrong = look({ ...right, fingerprint: 'ff' });
  assert.deepEqual(deriveFindings({ ...issued, chain }, { ...delivered, delivered: 'ver_0' }, wrong, NOW), []);
  assert.deepEqual(deriveFindings({ ...issued, chain }, undefined, wrong, NOW), []);
  assert.deepEqual(deriveFindings({ ...issued, chain }, delivered, { ...wrong, seen_at: null }, NOW), []);
  const [old] = deriveFindings({ ...issued, chain }, delivered, look(right), NOW + 30 * HOUR);
  assert.equal(old?.kind, 'not_looked_at');
});
