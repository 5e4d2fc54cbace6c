import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sql } from 'kysely';
import { domainsQuery } from './domains.ts';
import { openMemoryStore } from './index.ts';

test('every list of domains is read along an index, and sorted by none', async () => {
  const { db } = await openMemoryStore();
  const filters = {
    all: {},
    'of an app': { appIds: ['a'] },
    'that begin so': { prefix: 'shop' },
    'that wait for DNS': { dnsStates: ['missing' as const] },
    'of an app, that wait': { appIds: ['a'], dnsStates: ['missing' as const] },
    'that failed': { certificate: { states: [{ statuses: ['failed' as const], served: false }] } },
    'that wait for anything': { certificate: { states: [{ statuses: ['pending' as const] }], none: true } },
    'that a cluster got': { delegated: { status: 'issued' } },
    'of an app, that begin so': { appIds: ['a'], prefix: 'shop' },
  };
  for (const [what, filter] of Object.entries(filters)) {
    const plan = await domainsQuery(db, filter, { after: 'm', limit: 50 }).explain(undefined, sql`query plan`);
    const steps = (plan as { detail: string }[]).map(({ detail }) => detail).join('; ');
    assert.match(steps, /SEARCH domain USING INDEX/, `${what}: ${steps}`);
    assert.doesNotMatch(steps, /TEMP B-TREE|SCAN/, `${what}: ${steps}`);
  }
});
