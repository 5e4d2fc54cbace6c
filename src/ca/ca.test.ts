import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { createVirtualClock } from '../base/index.ts';
import { createSealedSecretStore, createSealer } from '../secrets/index.ts';
import { openMemoryStore } from '../store/index.ts';
import { parsePem } from '../x509/index.ts';
import { createCertificateAuthority } from './index.ts';

async function openCa() {
  const store = await openMemoryStore();
  const clock = createVirtualClock();
  const secrets = createSealedSecretStore(store, createSealer([Buffer.alloc(32, 1)]), clock);
  return { store, clock, secrets, ca: await createCertificateAuthority({ store, secrets, clock }) };
}

test('the first start makes a root and an intermediate, and later starts find them', async (t) => {
  const { store, clock, secrets, ca } = await openCa();
  t.after(() => store.close());
  const again = await createCertificateAuthority({ store, secrets, clock });
  assert.equal(again.rootPem(), ca.rootPem());
  const root = new X509Certificate(ca.rootPem());
  assert.ok(root.ca && root.verify(root.publicKey));
});

test('two first starts at once agree on one hierarchy', async (t) => {
  const store = await openMemoryStore();
  t.after(() => store.close());
  const clock = createVirtualClock();
  const secrets = createSealedSecretStore(store, createSealer([Buffer.alloc(32, 1)]), clock);
  const [one, two] = await Promise.all([1, 2].map(() => createCertificateAuthority({ store, secrets, clock })));
  assert.equal(one!.rootPem(), two!.rootPem());
  assert.deepEqual(
    one!.authorities().map(({ id }) => id),
    two!.authorities().map(({ id }) => id),
  );
});

test('a server certificate chains to the root and carries its names', async (t) => {
  const { store, ca } = await openCa();
  t.after(() => store.close());
  const { chainPem, keyPem } = await ca.issueServerCertificate(['localhost', '127.0.0.1', '::1']);
  const [leaf, intermediate] = parsePem('CERTIFICATE', chainPem).map((der) => new X509Certificate(der));
  const root = new X509Certificate(ca.rootPem());
  assert.ok(leaf!.verify(intermediate!.publicKey) && intermediate!.verify(root.publicKey));
  assert.ok(leaf!.checkIssued(intermediate!) && intermediate!.checkIssued(root));
  assert.ok(leaf!.checkHost('localhost') && leaf!.checkIP('127.0.0.1') && leaf!.checkIP('::1'));
  assert.match(keyPem, /BEGIN PRIVATE KEY/);
});
