import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sql } from 'kysely';
import { issuedBefore, untoldRevocation } from './certificate-versions.ts';
import { dueCertificates, nextDue } from './certificates.ts';
import { runDirectly } from './compiled.ts';
import { openMemoryStore } from './index.ts';

// What the loop asks at each step is answered by an index, so its cost does not grow with what is not due.
const PLANS: Record<string, [ask: (db: Parameters<typeof nextDue>[0]) => Promise<unknown>, plan: RegExp]> = {
  'which are due': [(db) => dueCertificates(db, 0, 1), /^SEARCH certificate USING INDEX certificate_by_due/],
  'when the next one is due': [nextDue, /^SEARCH certificate USING COVERING INDEX certificate_by_due/],
  'whether an issuer issued before': [
    (db) => issuedBefore(db, 'a', 'b'),
    /INDEX version_by_certificate_and_issuer \(certificate_id=\? AND issuer_id=\?\)/,
  ],
  'whether a revocation is untold': [(db) => untoldRevocation(db, 'a'), /INDEX version_untold \(certificate_id=\?/],
};

for (const [what, [ask, plan]] of Object.entries(PLANS))
  test(`${what} is a look into an index`, async () => {
    const store = await openMemoryStore();
    const asked: string[] = [];
    runDirectly(store.db, (text) => {
      asked.push(text);
      return { rows: [] };
    });
    await ask(store.db);
    assert.equal(asked.length, 1);
    const explained = sql.raw<{ detail: string }>(`explain query plan ${asked[0]!.replaceAll('?', '1')}`);
    const { rows } = await explained.execute(store.db);
    assert.equal(rows.length, 1, 'one step, and no sorting');
    assert.match(rows[0]!.detail, plan);
    await store.close();
  });
