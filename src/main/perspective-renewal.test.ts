import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import type { RequestOptions } from 'node:https';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { temporaryDirectory } from '../../test/fixtures/temporary.ts';
import type { RemotePerspective } from '../acme-server/index.ts';
import { createVirtualClock, silentLogger } from '../base/index.ts';
import { createCertificateAuthority } from '../ca/index.ts';
import { createSealedSecretStore, createSealer } from '../secrets/index.ts';
import { listAudit } from '../store/audit.ts';
import { openMemoryStore } from '../store/index.ts';
import { parsePem } from '../x509/index.ts';
import { type PerspectiveBundle, takeOffered } from './perspective-identity.ts';
import { openPerspectives } from './perspective-renewal.ts';

const DAY = 86_400_000;
const certificatesOf = (pem: string) => parsePem('CERTIFICATE', pem).map((der) => new X509Certificate(der));

/** Whether a side that trusts the roots accepts the chain at that time (RFC 5280 §6.1, as far as it matters here). */
function isAccepted(pem: string, root: string, now: number): boolean {
  const chain = certificatesOf(pem);
  return chain.every((each, index) => {
    const above = index + 1 < chain.length ? [chain[index + 1]!] : certificatesOf(root);
    const isTime = each.validFromDate.getTime() <= now && now < each.validToDate.getTime();
    return isTime && above.some((issuer) => each.verify(issuer.publicKey));
  });
}

async function open(t: TestContext) {
  const store = await openMemoryStore();
  t.after(() => store.close());
  const clock = createVirtualClock(Date.UTC(2026, 0, 1));
  const secrets = createSealedSecretStore(store, createSealer([Buffer.alloc(32, 1)]), clock);
  const ca = await createCertificateAuthority({ store, secrets, clock });
  const dataDir = temporaryDirectory(t);
  const file = join(dataDir, 'perspectives', 'paris.json');
  const read = () => JSON.parse(readFileSync(file, 'utf8')) as PerspectiveBundle;
  /** The machine at the other end. */
  const there: { bundle?: PerspectiveBundle; isReached: boolean; tls: () => RequestOptions } = {
    isReached: true,
    tls: () => assert.fail(),
  };
  const speaks = () =>
    isAccepted(String(there.tls().cert), there.bundle!.root, clock.now()) &&
    isAccepted(there.bundle!.certificate, String(there.tls().ca), clock.now());
  const connect = (name: string, _: string, tls: () => RequestOptions): RemotePerspective => {
    there.tls = tls;
    return {
      name,
      check: async () => undefined,
      async handOver(identity) {
        if (there.bundle === undefined || !there.isReached) throw new Error('connect ECONNREFUSED');
        assert.ok(speaks(), 'by the connection that is there');
        there.bundle = takeOffered(there.bundle, JSON.parse(JSON.stringify(identity)), clock.now());
      },
    };
  };
  const perspectives = await openPerspectives([{ name: 'paris', url: 'https://paris.example' }], dataDir, {
    ...{ store, secrets, clock, ca, log: silentLogger, connect },
  });
  return { store, clock, ca, file, read, there, speaks, perspectives };
}

test('for 24 years both sides speak, through new certificates, intermediates and roots, with the keys of the start', async (t) => {
  const { store, clock, ca, file, read, there, speaks, perspectives } = await open(t);
  await perspectives.keep();
  assert.match(perspectives.findings()[0]?.detail ?? '', /^the perspective paris could not be given .*ECONNREFUSED$/);
  assert.match(perspectives.findings()[0]!.advice, new RegExp(`copy ${file} to its machine`));
  const first = read();
  there.bundle = first;
  const roots = ca.rootPem();
  for (let week = 0; week < 24 * 52; week += 2) {
    await ca.keep();
    await perspectives.keep();
    assert.deepEqual(perspectives.findings(), []);
    assert.ok(speaks(), `week ${week}`);
    await clock.advance(14 * DAY);
  }
  const made = await listAudit(store.db, { action: 'acme_perspective.identify' }, { limit: 500 });
  assert.ok(made.length >= 2 * 36 && made.length <= 2 * 50, `${made.length} certificates`);
  assert.equal(new Set(made.map(({ resource }) => resource)).size, 2);
  assert.notEqual(ca.rootPem(), roots);
  assert.equal(there.bundle.key, first.key);
  assert.equal(there.bundle.asker, first.asker);
  assert.deepEqual(read(), there.bundle);
  assert.equal(statSync(file).mode & 0o777, 0o600);
});

test('one that is away when a third is left is told about until it has the next, which is made once', async (t) => {
  const { store, clock, read, there, speaks, perspectives } = await open(t);
  const count = async () => (await listAudit(store.db, { action: 'acme_perspective.identify' }, { limit: 100 })).length;
  there.bundle = read();
  await perspectives.keep();
  const until = new Date(new X509Certificate(there.bundle.certificate).validToDate).toISOString();
  await clock.advance(240 * DAY);
  await perspectives.keep();
  assert.equal(await count(), 2, 'a third is not yet left');
  there.isReached = false;
  await clock.advance(10 * DAY);
  for (let look = 0; look < 3; look++) await perspectives.keep();
  assert.equal(await count(), 4);
  assert.match(perspectives.findings()[0]?.detail ?? '', new RegExp(`the one that it has ends at ${until}$`));
  assert.ok(speaks(), 'with the old ones meanwhile');
  there.isReached = true;
  await perspectives.keep();
  assert.deepEqual(perspectives.findings(), []);
  assert.deepEqual(there.bundle, read());
  assert.equal(await count(), 4);
});

test('a perspective takes nothing but its own key, certified for now, under the root that came, for the same asker', async (t) => {
  const { clock, ca, read } = await open(t);
  const own = read();
  const { key: _, ...offered } = own;
  const now = clock.now();
  const other = await ca.issueServerCertificate(['other.example']);
  const stranger = (await open(t)).ca.rootPem();
  const refusals: readonly [unknown, RegExp, number?][] = [
    [undefined, /has no certificate, or no root/],
    [{ ...offered, root: 7 }, /has no certificate, or no root/],
    [{ ...offered, name: 'tokyo' }, /is not for the perspective paris/],
    [{ ...offered, asker: '00' }, /names another asker/],
    [{ ...offered, certificate: other.chainPem }, /is for another key/],
    [{ ...offered, certificate: '' }, /is for another key/],
    [{ ...offered, certificate: own.certificate.replace(/MII../, 'AAAAA') }, /something else than certificates/],
    [{ ...offered, root: stranger }, /does not lead to its root/],
    [offered, /has ended/, now + 366 * DAY],
    [offered, /is not valid yet/, now - 40 * DAY],
  ];
  for (const [input, why, at = now] of refusals) assert.throws(() => takeOffered(own, input, at), why);
  const taken = takeOffered(own, { ...offered, key: 'another' }, now);
  assert.equal(taken.key, own.key, 'a key that is sent is not taken');
});
