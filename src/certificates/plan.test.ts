import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CertificateProblem } from '../store/certificates.ts';
import { type Facts, planStep } from './plan.ts';

const DAY = 24 * 3_600_000;
const NOW = Date.UTC(2026, 0, 1);
const policy = { graceMs: 7 * DAY };
const served = {
  id: 'v1',
  notBefore: NOW - 10 * DAY,
  notAfter: NOW + 80 * DAY,
  staging: false,
  asksRenewalInfo: false,
};
const base: Facts = { kind: 'acme', status: 'valid', served, renewAt: NOW + 50 * DAY, staging: false };
const problem: CertificateProblem = {
  class: 'dns',
  code: 'x',
  detail: 'x',
  party: 'dns',
  at: NOW - 1,
  retryAt: NOW + 1000,
};
const info = { versionId: 'v1', start: NOW + DAY, end: NOW + 2 * DAY, askAgainAt: NOW + 5000, renewAt: NOW + DAY };
const { served: _, ...never } = base;

const TABLE: Record<string, [facts: Facts, expected: object]> = {
  'nothing yet': [
    { ...never, status: 'pending' },
    { do: 'issue', renewal: false },
  ],
  'good until its renewal': [base, { do: 'wait', until: NOW + 50 * DAY }],
  'renewal due': [
    { ...base, renewAt: NOW },
    { do: 'issue', renewal: true },
  ],
  'renewal due, after a failure': [
    { ...base, renewAt: NOW, problem },
    { do: 'wait', until: NOW + 1000 },
  ],
  'renewal due, failure long ago': [
    { ...base, renewAt: NOW, problem: { ...problem, retryAt: NOW } },
    { do: 'issue', renewal: true },
  ],
  'a failure when all is good again': [
    { ...base, problem },
    { do: 'wait', until: NOW + 50 * DAY },
  ],
  'somebody asks': [
    { ...base, wanted: 'renew' },
    { do: 'issue', renewal: true },
  ],
  'expired, not yet noted': [{ ...base, served: { ...served, notAfter: NOW } }, { do: 'note-expiry' }],
  'expired and noted': [
    { ...base, status: 'expired', served: { ...served, notAfter: NOW } },
    { do: 'issue', renewal: true },
  ],
  'staging leaf where production is wanted': [
    { ...base, served: { ...served, staging: true } },
    { do: 'issue', renewal: true },
  ],
  'staging leaf where staging is wanted': [
    { ...base, staging: true, served: { ...served, staging: true } },
    { do: 'wait', until: NOW + 50 * DAY },
  ],
  'renewal information never asked': [
    { ...base, served: { ...served, asksRenewalInfo: true } },
    { do: 'ask-renewal-info' },
  ],
  'renewal information due again': [
    { ...base, served: { ...served, asksRenewalInfo: true }, renewalInfo: { ...info, askAgainAt: NOW } },
    { do: 'ask-renewal-info' },
  ],
  'renewal information of the version before': [
    { ...base, served: { ...served, asksRenewalInfo: true }, renewalInfo: { ...info, versionId: 'v0' } },
    { do: 'ask-renewal-info' },
  ],
  'renewal information known': [
    { ...base, served: { ...served, asksRenewalInfo: true }, renewalInfo: info },
    { do: 'wait', until: NOW + 5000 },
  ],
  'renewal wins over asking about it': [
    { ...base, renewAt: NOW, served: { ...served, asksRenewalInfo: true } },
    { do: 'issue', renewal: true },
  ],
  revoked: [{ ...never, status: 'revoked' }, { do: 'wait' }],
  'revoked, to be replaced': [
    { ...never, status: 'revoked', wanted: 'replace' },
    { do: 'issue', renewal: false },
  ],
  'revoked, and its CA does not know': [
    { ...never, status: 'revoked', untold: 'v1' },
    { do: 'tell-ca', versionId: 'v1' },
  ],
  'nothing refers to it': [
    { ...base, renewAt: NOW, unreferencedAt: NOW - DAY },
    { do: 'wait', until: NOW + 6 * DAY },
  ],
  'nothing has referred to it for long': [{ ...base, unreferencedAt: NOW - 7 * DAY }, { do: 'remove' }],
  'imported, good': [
    { ...base, kind: 'imported' },
    { do: 'wait', until: NOW + 80 * DAY },
  ],
  'imported, renewal time past': [
    { ...base, kind: 'imported', renewAt: NOW },
    { do: 'wait', until: NOW + 80 * DAY },
  ],
};

for (const [name, [facts, expected]] of Object.entries(TABLE))
  test(`plan: ${name}`, () => {
    assert.partialDeepStrictEqual(planStep(facts, policy, NOW), expected);
  });
