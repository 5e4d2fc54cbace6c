import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { createAcmeClient, obtainCertificate } from '../../src/acme-client/index.ts';
import { Fault, systemClock } from '../../src/base/index.ts';
import { createHttp01Solver, createTlsAlpn01Solver } from '../../src/solvers/index.ts';
import { generateKey } from '../../src/x509/index.ts';
import { startChallengeResponder } from '../fixtures/challenge-responder.ts';
import { type Pebble, type PebbleOptions, startPebble } from '../fixtures/pebble.ts';

async function withPebble(t: TestContext, options: PebbleOptions = {}, listen: ('http' | 'tls')[] = ['http', 'tls']) {
  const pebble = await startPebble(t, options);
  if (pebble === undefined) return undefined;
  const responder = await startChallengeResponder(t, {
    ...(listen.includes('http') && { http: pebble.httpPort }),
    ...(listen.includes('tls') && { tls: pebble.tlsPort }),
  });
  const client = createAcmeClient({ directory: pebble.directory, caPem: pebble.caPem, clock: systemClock });
  t.after(() => client.close());
  const accountKey = await generateKey('ec-p256');
  const eab = options.eab && { kid: options.eab.kid, hmacKey: Buffer.from(options.eab.hmacKey, 'base64url') };
  const account = await client.register(accountKey, { contact: ['mailto:ops@example.com'], ...(eab && { eab }) });
  const solvers = [createTlsAlpn01Solver(responder, systemClock), createHttp01Solver(responder)];
  return { pebble, responder, client, account, accountKey, solvers };
}

async function verifies(pebble: Pebble, chain: string, names: string[]) {
  const root = new X509Certificate(await pebble.issuingRoot());
  const [leaf, issuer] = chain.split(/(?<=-----END CERTIFICATE-----\n)/).map((pem) => new X509Certificate(pem));
  assert.ok(leaf!.verify(issuer!.publicKey));
  assert.ok(issuer!.verify(root.publicKey));
  for (const name of names) assert.ok(leaf!.checkHost(name) ?? leaf!.checkIP(name), name);
}

test('several names by tls-alpn-01, through refused nonces, slow validation and reused authorizations', async (t) => {
  const at = await withPebble(t, { nonceReject: 30, validationSleep: 1, authorizationReuse: 50 });
  if (at === undefined) return;
  const names = ['one.example.com', 'two.example.com', '127.0.0.1'];
  for (let round = 0; round < 2; round++) {
    const key = await generateKey(round === 0 ? 'ec-p256' : 'rsa-2048');
    const { chain } = await obtainCertificate({ ...at, names, key });
    await verifies(at.pebble, chain.pem, names);
  }
  assert.equal(at.responder.presented['http-01'], 0);
  assert.deepEqual(at.responder.open(), []);
});

test('http-01 is tried by itself when tls-alpn-01 fails', async (t) => {
  const at = await withPebble(t, {}, ['http']);
  if (at === undefined) return;
  const steps: string[] = [];
  const { chain } = await obtainCertificate({
    ...at,
    names: ['shop.example.com'],
    key: await generateKey('ec-p256'),
    onStep: ({ kind }) => void steps.push(kind),
  });
  await verifies(at.pebble, chain.pem, ['shop.example.com']);
  assert.deepEqual(at.responder.presented, { 'tls-alpn-01': 1, 'http-01': 1 });
  assert.deepEqual(steps, ['order', 'challenge', 'problem', 'order', 'challenge', 'validation', 'finalize', 'issued']);
});

test("a failure keeps the CA's words and says who failed", async (t) => {
  const at = await withPebble(t, {}, []);
  if (at === undefined) return;
  const failing = obtainCertificate({ ...at, names: ['shop.example.com'], key: await generateKey('ec-p256') });
  await assert.rejects(failing, (error: Fault) => {
    assert.equal(error.code, 'urn:ietf:params:acme:error:connection');
    assert.equal(error.details.party, 'network');
    assert.equal(error.details.field, 'dns:shop.example.com');
    return true;
  });
  const wildcard = obtainCertificate({ ...at, names: ['*.example.com'], key: await generateKey('ec-p256') });
  await assert.rejects(wildcard, /the CA offers dns-01 for \*\.example\.com/);
});

test('an interrupted order is gone on with, not made again', async (t) => {
  const at = await withPebble(t);
  if (at === undefined) return;
  const key = await generateKey('ec-p256');
  let url = '';
  const interrupted = obtainCertificate({
    ...at,
    names: ['shop.example.com'],
    key,
    onStep: (step) => {
      if (step.kind === 'order') url = step.url ?? '';
      if (step.kind === 'finalize') throw new Fault({ code: 'stop', detail: 'stop', party: 'us', retry: 'backoff' });
    },
  });
  await assert.rejects(interrupted, { code: 'stop' });
  const { orderUrl } = await obtainCertificate({ ...at, names: ['shop.example.com'], key, resume: url });
  assert.equal(orderUrl, url);
  // Once more from the valid order: the chain is still there.
  const again = await obtainCertificate({ ...at, names: ['shop.example.com'], key, resume: url });
  assert.equal(again.orderUrl, url);
});

test('accounts: bound to a customer, found again, contact changed, key rolled over, closed', async (t) => {
  const eab = { kid: 'kid-1', hmacKey: 'zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W' };
  const at = await withPebble(t, { eab });
  if (at === undefined) return;
  const { client, account, accountKey } = at;
  await assert.rejects(client.register(await generateKey('ec-p256'), {}), { code: 'eab_required' });
  assert.equal((await client.register(accountKey, { onlyExisting: true })).url, account.url);
  await client.updateContact(account, ['mailto:other@example.com']);
  const rolled = await client.changeKey(account, await generateKey('ec-p384'));
  assert.equal(rolled.url, account.url);
  await assert.rejects(client.register(accountKey, { onlyExisting: true }), /./);
  await obtainCertificate({ ...at, account: rolled, names: ['a.example.com'], key: await generateKey('ec-p256') });
  await client.deactivate(rolled);
  await assert.rejects(client.newOrder(rolled, { identifiers: [{ type: 'dns', value: 'a.example.com' }] }));
});

test('a certificate is revoked by its account, and by its own key', async (t) => {
  const at = await withPebble(t);
  if (at === undefined) return;
  for (const way of ['account', 'key']) {
    const key = await generateKey('ec-p256');
    const { chain } = await obtainCertificate({ ...at, names: ['shop.example.com'], key });
    const by = way === 'account' ? { account: at.account } : { certificateKey: key };
    const revocation = { certificate: chain.leaf.der, reason: 1, by };
    await at.client.revoke(revocation);
    // A second time is no error.
    await at.client.revoke(revocation);
    const status = await at.pebble.manage(`cert-status-by-serial/${chain.serial}`);
    assert.match(status.text, /Revoked/);
  }
});
