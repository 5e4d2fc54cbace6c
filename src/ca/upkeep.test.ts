import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { createVirtualClock } from '../base/index.ts';
import { createSealedSecretStore, createSealer } from '../secrets/index.ts';
import { listAudit } from '../store/audit.ts';
import { openMemoryStore } from '../store/index.ts';
import { spkiOf } from '../x509/index.ts';
import { createCertificateAuthority } from './index.ts';

const DAY = 86_400_000;
const YEAR = 365 * DAY;

async function openCa(longest: number) {
  const store = await openMemoryStore();
  const clock = createVirtualClock(Date.parse('2026-01-01T00:00:00Z'));
  const secrets = createSealedSecretStore(store, createSealer([Buffer.alloc(32, 1)]), clock);
  const told: string[] = [];
  const options = { longestLeaf: async () => longest, onRoots: (pem: string) => void told.push(pem) };
  const open = () => createCertificateAuthority({ store, secrets, clock }, options);
  return { store, clock, secrets, told, open, ca: await open() };
}

const spki = spkiOf(generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey);
const leaf = (notAfter: number) => ({
  spki,
  spkiHash: '',
  keyIsRsa: false,
  dns: ['a.example'],
  ip: [],
  notAfter,
  extendedKeyUsage: ['serverAuth'] as const,
});

test('for forty years no certificate is cut short or outlives its chain, with an intermediate of every few years', async (t) => {
  const lifetime = 398 * DAY;
  const { store, clock, told, ca } = await openCa(lifetime);
  t.after(() => store.close());
  for (let month = 0; month < 40 * 12; month++) {
    await ca.keep();
    assert.deepEqual(ca.findings(), []);
    const { not_after, authority_id } = await ca.issue(leaf(clock.now() + lifetime));
    assert.equal(not_after, clock.now() + lifetime, `cut short in month ${month}`);
    const chains = await ca.chains(authority_id);
    assert.ok(chains.length > 0);
    const [signer] = ca.authorities().filter(({ id }) => id === authority_id);
    const root = ca.authorities().find(({ id }) => id === signer!.parentId)!;
    assert.ok(not_after <= root.certificate.notAfter);
    await clock.advance(30 * DAY);
  }
  const roots = ca.authorities().filter(({ kind }) => kind === 'root');
  const intermediates = ca.authorities().filter(({ kind, isAlternate }) => kind === 'intermediate' && !isAlternate);
  assert.ok(roots.length >= 3 && roots.length <= 4, `${roots.length} roots in 40 years`);
  assert.ok(intermediates.length >= 9 && intermediates.length <= 14, `${intermediates.length} intermediates`);
  assert.ok(told.length >= 2, 'the file of roots follows');
  const rolled = await listAudit(store.db, { action: 'ca_authority.roll_over' }, { limit: 100 });
  assert.equal(rolled.length, intermediates.length - 1);
  assert.ok(rolled.every(({ actor }) => actor === 'acme-system:ca'));
});

test('leaves longer than half of the life of an intermediate do not replace it for ever', async (t) => {
  const { store, clock, ca } = await openCa(10 * YEAR);
  t.after(() => store.close());
  for (let look = 0; look < 3; look++) await ca.keep();
  assert.equal(ca.authorities().length, 2);
  await clock.advance(2.5 * YEAR);
  for (let look = 0; look < 3; look++) await ca.keep();
  assert.equal(ca.authorities().length, 3);
});

test('two replicas that find it near its end replace it once', async (t) => {
  const { store, clock, open, ca } = await openCa(90 * DAY);
  t.after(() => store.close());
  const other = await open();
  await clock.advance(5 * YEAR - 60 * DAY);
  await Promise.all([ca.keep(), other.keep()]);
  assert.equal(ca.authorities().length, 3);
  assert.equal((await listAudit(store.db, { action: 'ca_authority.roll_over' }, { limit: 10 })).length, 1);
  const [one, two] = await Promise.all([ca, other].map((each) => each.issue(leaf(clock.now() + 90 * DAY))));
  assert.equal(one!.authority_id, two!.authority_id);
});

test('one whose root has its key elsewhere is told about, and its certificates end with it', async (t) => {
  const { store, clock, ca } = await openCa(90 * DAY);
  const theirs = await openCa(90 * DAY);
  t.after(() => Promise.all([store.close(), theirs.store.close()]));
  const intermediate = theirs.ca.authorities().find(({ kind }) => kind === 'intermediate');
  const stored = Buffer.from((await theirs.secrets.get(`ca/${intermediate!.id}/key`))!).toString('base64');
  const pem = `-----BEGIN PRIVATE KEY-----\n${stored}\n-----END PRIVATE KEY-----\n`;
  const chainPem = `-----BEGIN CERTIFICATE-----\n${intermediate!.certificate.der.toString('base64')}\n-----END CERTIFICATE-----\n${theirs.ca.rootPem()}`;
  await clock.advance(1000);
  await ca.import({ chainPem, key: { pem } }, 'token:test');
  await ca.import({ chainPem, key: { pem } }, 'token:test');
  const imported = await listAudit(store.db, { action: 'ca_authority.import' }, { limit: 10 });
  assert.deepEqual(
    imported.map(({ actor, resource }) => [actor, resource]),
    [['token:test', `ca_authority:${(await ca.issue(leaf(clock.now() + DAY))).authority_id}`]],
  );
  await clock.advance(5 * YEAR - 30 * DAY);
  await ca.keep();
  assert.match(ca.findings()[0]?.detail ?? '', /the key of its root is not here/);
  assert.equal((await ca.issue(leaf(clock.now() + 90 * DAY))).not_after, ca.endsAt());
});
