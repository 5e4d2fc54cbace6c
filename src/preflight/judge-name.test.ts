import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CaaRecord, NameLook, ViewAnswer } from '../dns/index.ts';
import { caIdentityOf } from './ca-identity.ts';
import { judgeName, methodsLeft, type NameFacts } from './judge-name.ts';
import { methodsOf } from './methods.ts';

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
const letsEncrypt = caIdentityOf({
  id: 'letsencrypt-prod',
  directory: 'https://acme-v02.api.letsencrypt.org/directory',
});
const facts = (more: Partial<NameFacts> = {}): NameFacts => ({
  name: 'shop.dev',
  wildcard: false,
  challenge: 'auto',
  methods: methodsOf(
    { challenge: more.challenge ?? 'auto', wildcard: more.wildcard === true },
    more.delegation?.credential !== undefined,
  ),
  ca: letsEncrypt,
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
const credential = {
  id: 'dnscred_1',
  name: 'prod',
  validation: 'failed' as const,
  detail: 'HTTP 403',
  covers: true,
};
const proved = { ...credential, validation: 'valid' as const };
const privateCa = (caaIdentities: string[]) =>
  caIdentityOf({ id: 'step', directory: 'https://ca.corp.internal/acme/acme/directory' }, { caaIdentities });
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
  [
    'CAA names another CA than a private one that has a name',
    facts({ ca: privateCa(['Ca.Corp']), look: caa('x') }),
    ['caa'],
    [],
  ],
  ['CAA names a private CA', facts({ ca: privateCa(['Ca.Corp']), look: caa('ca.corp') }), [], []],
  ['CAA and a private CA that says nothing of it', facts({ ca: privateCa([]), look: caa('x') }), [], []],
  [
    'CAA lets DNS alone, and there is none',
    facts({ look: caa('letsencrypt.org; validationmethods=dns-01') }),
    ['caa'],
    [],
  ],
  [
    'CAA lets DNS alone, and its credential failed',
    facts({ look: caa('letsencrypt.org; validationmethods=dns-01'), delegation: { recordName, credential } }),
    ['dns-credential'],
    [],
  ],
  [
    'CAA lets DNS alone, and there is a credential',
    facts({ look: caa('letsencrypt.org; validationmethods=dns-01'), delegation: { recordName, credential: proved } }),
    [],
    [],
  ],
  [
    'CAA binds another account',
    facts({
      ca: { ...letsEncrypt, accountUri: 'https://le/1' },
      look: caa('letsencrypt.org; accounturi=https://le/2'),
    }),
    ['caa'],
    [],
  ],
  [
    'CAA binds an account, and we have none',
    facts({ look: caa('letsencrypt.org; accounturi=https://le/2') }),
    [],
    ['caa'],
  ],
  [
    'a delegation to nowhere',
    facts({
      wildcard: true,
      delegation: { recordName, target: 'x.gone.dev', dangling: 'no zone is known for it', credential: proved },
    }),
    ['delegation'],
    [],
  ],
  [
    'the same, with other ways left',
    facts({ delegation: { recordName, target: 'x.gone.dev', dangling: 'no zone is known for it' } }),
    [],
    ['delegation'],
  ],
  [
    'a credential of other zones',
    facts({ challenge: 'dns-01', delegation: { recordName, credential: { ...proved, covers: false } } }),
    ['dns-credential'],
    [],
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

test('of the ways to show control those are left that CAA allows', () => {
  const look = (value: string) => caa(`letsencrypt.org; validationmethods=${value}`);
  assert.deepEqual(methodsLeft(facts({ look: look('http-01') })), ['http-01']);
  assert.deepEqual(methodsLeft(facts({ look: look('HTTP-01, tls-alpn-01') })), ['tls-alpn-01', 'http-01']);
  const withDns = { delegation: { recordName, credential: proved } };
  assert.deepEqual(methodsLeft(facts({ look: look('dns-01'), ...withDns })), ['dns-01']);
  assert.deepEqual(methodsLeft(facts()), ['tls-alpn-01', 'http-01']);
});
