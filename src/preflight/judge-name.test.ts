import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CaaRecord, NameLook, ViewAnswer } from '../dns/index.ts';
import { caIdentityOf } from './ca-identity.ts';
import { judgeName, type NameFacts } from './judge-name.ts';

const answer = (view: ViewAnswer['view'], more: Partial<ViewAnswer> = {}): ViewAnswer => ({
  view,
  server: view,
  addresses: ['203.0.113.7'],
  cname: [],
  ...more,
});
const look = (more: Partial<NameLook> = {}): NameLook => ({
  answers: [answer('system'), answer('authoritative')],
  caa: { records: [], found: [] },
  ...more,
});
const facts = (more: Partial<NameFacts> = {}): NameFacts => ({
  name: 'shop.dev',
  wildcard: false,
  challenge: 'auto',
  ca: caIdentityOf({ id: 'letsencrypt-prod', directory: 'https://acme-v02.api.letsencrypt.org/directory' }),
  look: look(),
  ours: [],
  reach: [],
  ...more,
});
const caa = (value: string, tag = 'issue'): NameLook => {
  const found: CaaRecord[] = [{ type: 'CAA', name: 'shop.dev', tag, data: value, critical: false }];
  return look({ caa: { records: [`shop.dev. CAA 0 ${tag} "${value}"`], found } });
};
const nowhere = look({
  answers: [answer('authoritative', { addresses: [], problem: 'NXDOMAIN' })],
});
const credential = { name: 'prod', validation: 'failed' as const, detail: 'HTTP 403' };
const recordName = '_acme-challenge.shop.dev';

// What was found -> the checks that come out wrong, and those that are advice.
const CASES: [title: string, facts: NameFacts, wrong: string[], advice: string[]][] = [
  ['nothing amiss', facts(), [], []],
  ['CAA names another CA', facts({ look: caa('other.example') }), ['caa'], []],
  ['CAA names this CA', facts({ look: caa('letsencrypt.org') }), [], []],
  ['CAA cannot be read', facts({ look: look({ caa: { records: [], found: [], problem: 'SERVFAIL' } }) }), [], ['caa']],
  ['no such name, to be looked at by the CA', facts({ look: nowhere }), ['dns'], []],
  ['no such name, proved by DNS', facts({ look: nowhere, challenge: 'dns-01' }), [], ['dns']],
  ['at another place', facts({ ours: ['192.0.2.1'] }), [], ['dns']],
  ['broken DNSSEC', facts({ look: look({ dnssec: 'broken' }) }), [], ['dnssec']],
  ['two worlds', facts({ look: look({ splitHorizon: 'your resolver answers SERVFAIL' }) }), [], ['split-horizon']],
  ['a wildcard and no credential', facts({ wildcard: true, delegation: { recordName } }), ['dns-credential'], []],
  [
    'a credential that failed',
    facts({ challenge: 'dns-01', delegation: { recordName, credential } }),
    ['dns-credential'],
    [],
  ],
  ['the same, with other ways left', facts({ delegation: { recordName, credential } }), [], ['dns-credential']],
  [
    'a closed port',
    facts({ reach: [{ address: '203.0.113.7', port: 80, problem: 'ECONNREFUSED' }] }),
    [],
    ['reachability'],
  ],
  ['a name of this network only', facts({ name: 'shop.internal' }), ['name'], []],
];

for (const [title, given, wrong, advice] of CASES)
  test(`preflight: ${title}`, () => {
    const findings = judgeName(given);
    const checks = (outcome: string) => findings.filter((one) => one.outcome === outcome).map(({ check }) => check);
    assert.deepEqual(checks('wrong'), wrong);
    assert.deepEqual(checks('advice'), advice);
    for (const finding of findings.filter((one) => one.outcome === 'wrong')) assert.ok(finding.advice, finding.detail);
  });
