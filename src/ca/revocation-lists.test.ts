import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { createVirtualClock } from '../base/index.ts';
import { createSealedSecretStore, createSealer } from '../secrets/index.ts';
import { findCertificate, listsOf, markRevoked } from '../store/ca.ts';
import { openMemoryStore } from '../store/index.ts';
import { parsePem } from '../x509/index.ts';
import { createCertificateAuthority, distributionUrls } from './index.ts';
import { crlPartition } from './issue.ts';

const HOUR = 3_600_000;

async function open(base?: string) {
  const store = await openMemoryStore();
  const clock = createVirtualClock(Date.UTC(2026, 0, 1));
  const secrets = createSealedSecretStore(store, createSealer([Buffer.alloc(32, 1)]), clock);
  const urls = base === undefined ? {} : { urls: distributionUrls(base) };
  const ca = await createCertificateAuthority({ store, secrets, clock }, urls);
  const issuing = ca.authorities().find(({ kind }) => kind === 'intermediate')!;
  const signed = async () => Number(/ca_signatures_total\{what="list"\} (\d+)/.exec(await ca.metrics())?.[1] ?? 0);
  return { store, clock, ca, issuing, signed };
}

test('over a month nobody who asks for a list waits for a signature, and no list is older than a day', async (t) => {
  const { store, clock, ca, issuing, signed } = await open('http://pki.example');
  t.after(() => store.close());
  for (let hour = 0; hour < 30 * 24; hour++) {
    await ca.revocation.lists.keep();
    const before = await signed();
    assert.ok(await ca.revocation.list(issuing.id, hour % 16));
    assert.equal(await signed(), before, `hour ${hour}`);
    const age = Number(/ca_crl_age_seconds\{[^}]*\} (\d+)/.exec(await ca.metrics())?.[1]);
    assert.ok(age < 86_400, `${age} seconds`);
    await clock.advance(HOUR);
  }
  const rounds = (await signed()) / 16;
  assert.ok(rounds >= 30 && rounds <= 33, `${rounds} rounds in 30 days`);
});

test('a revocation makes the one list that it belongs to, at once when the CA is told, else with the next look', async (t) => {
  const { store, clock, ca, issuing, signed } = await open('http://pki.example');
  t.after(() => store.close());
  await ca.revocation.lists.keep();
  const revokeOne = async () => {
    await clock.advance(HOUR);
    const { chainPem } = await ca.issueServerCertificate(['a.example']);
    const { serialNumber } = new X509Certificate(parsePem('CERTIFICATE', chainPem)[0]!);
    const serial = serialNumber.toLowerCase();
    await store.write((tx) => markRevoked(tx, serial, 4, clock.now()));
    await clock.advance(1000);
    return (await findCertificate(store.db, serial))!;
  };
  const told = await revokeOne();
  await ca.revocation.lists.revoked(told);
  assert.equal(await signed(), 17);
  const partition = crlPartition(Buffer.from(told.serial, 'hex'));
  const { der } = (await ca.revocation.list(issuing.id, partition))!;
  assert.ok(der.includes(Buffer.from(told.serial, 'hex')));
  await ca.revocation.lists.keep();
  assert.equal(await signed(), 17);
  await revokeOne();
  await ca.revocation.lists.keep();
  assert.equal(await signed(), 18);
});

test('where certificates name no lists, those are kept that somebody has asked for', async (t) => {
  const { store, clock, ca, issuing, signed } = await open();
  t.after(() => store.close());
  await ca.revocation.lists.keep();
  assert.equal(await signed(), 0);
  await ca.revocation.list(issuing.id, 3);
  await clock.advance(23 * HOUR);
  await ca.revocation.lists.keep();
  assert.equal(await signed(), 2);
  const kept = await listsOf(store.db, issuing.id);
  assert.deepEqual(
    kept.map(({ partition, this_update }) => [partition, this_update]),
    [[3, clock.now()]],
  );
});
