import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { startAcmeServer } from '../../test/fixtures/acme-server.ts';
import { boundAccount, RawAcme } from '../../test/fixtures/raw-acme.ts';
import { ariCertificateId } from '../acme/index.ts';
import { createVirtualClock } from '../base/index.ts';
import { createSealedSecretStore, createSealer } from '../secrets/index.ts';
import { openMemoryStore } from '../store/index.ts';
import { createCertificationRequest, parseCertificate, parsePem } from '../x509/index.ts';
import { collectGarbage } from './collection.ts';
import { openNonceKey } from './nonce-key.ts';

const LOOPBACK = ['127.0.0.0/8', '::1/128'];
const TRUST = { auth_mode: 'trust_authenticated', trust_without_eab: true };
const DAY = 86_400_000;
const newKey = () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
const csrFor = (names: string[], key = newKey()) => createCertificationRequest(names, key).toString('base64url');
const type = (answer: { json: { type?: string } }) => answer.json?.type?.split(':').at(-1);

async function start(t: TestContext, profile: object, clock = createVirtualClock()) {
  const running = await startAcmeServer(t, { plain: true, clock, profile });
  const client = await new RawAcme(running.directoryUrl).start();
  return { ...running, clock, client };
}

async function issue(client: RawAcme, names: string[], more: object = {}, key = newKey()) {
  const order = await client.order(names, more);
  assert.equal(order.status, 201, order.text);
  const done = await client.post(order.json.finalize, { csr: csrFor(names, key) });
  assert.equal(done.json.status, 'valid', done.text);
  const [leaf] = parsePem('CERTIFICATE', (await client.post(done.json.certificate, '')).text);
  return parseCertificate(leaf!);
}

async function prove(t: TestContext, client: RawAcme): Promise<number> {
  const server = createServer((request, response) =>
    response.end(client.keyAuthorization(request.url?.split('/').at(-1) ?? '')),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

test('an order whose authorizations were collected is not ready', async (t) => {
  const client = new RawAcme('');
  const http_port = await prove(t, client);
  const validation = { http_port, allowed_cidrs: LOOPBACK };
  const running = await start(t, { validation, order_ttl_seconds: 100 * 86_400, authorization_ttl_seconds: 7200 });
  const { acme, store, clock } = running;
  const asker = new RawAcme(running.directoryUrl, { key: client.key });
  await asker.start();
  await asker.register();
  const first = await asker.order(['a.localhost']);
  const [url] = first.json.authorizations;
  const { challenges } = (await asker.post(url, '')).json;
  await asker.post(challenges.find((one: { type: string }) => one.type === 'http-01').url, {});
  await acme.idle();
  assert.equal((await asker.post(first.headers.location!, '')).json.status, 'ready');
  await clock.advance(40 * DAY);
  assert.ok((await collectGarbage({ store, clock })).acme_authorization! > 0);
  assert.equal((await asker.post(first.headers.location!, '')).json.status, 'invalid');
  assert.equal(type(await asker.post(first.json.finalize, { csr: csrFor(['a.localhost']) })), 'orderNotReady');
});

test('a certificate whose replacement came to nothing can be replaced by another order (RFC 9773 §5)', async (t) => {
  const { client, clock } = await start(t, { ...TRUST, order_ttl_seconds: 3600 });
  await client.register();
  const { authorityKeyIdentifier, serial } = await issue(client, ['a.example']);
  const replaces = ariCertificateId(authorityKeyIdentifier!, serial);
  assert.equal((await client.order(['a.example'], { replaces })).status, 201);
  assert.equal(type(await client.order(['a.example'], { replaces })), 'alreadyReplaced');
  await clock.advance(3_600_000);
  await issue(client, ['a.example'], { replaces });
  await clock.advance(3_600_000);
  assert.equal(type(await client.order(['a.example'], { replaces })), 'alreadyReplaced', 'a valid order stays');
});

test('changed terms are asked for before anything new, where the profile insists (RFC 8555 §7.3.3)', async (t) => {
  const { client, acme } = await start(t, { ...TRUST, terms_of_service: 'https://ca.example/terms/1' });
  await client.register();
  const { der } = await issue(client, ['a.example']);
  await acme.administration.updateProfile('default', { terms_of_service: 'https://ca.example/terms/2' }, 'system');
  await issue(client, ['a.example']);
  await acme.administration.updateProfile('default', { terms_must_be_agreed_again: true }, 'system');
  const refused = await client.order(['a.example']);
  assert.equal(type(refused), 'userActionRequired');
  assert.equal(refused.json.instance, 'https://ca.example/terms/2');
  assert.match(String(refused.headers.link), /<https:\/\/ca\.example\/terms\/2>;rel="terms-of-service"/);
  assert.equal((await client.post(client.kid!, '')).status, 200, 'the account can be read');
  const revocation = { certificate: der.toString('base64url') };
  assert.equal((await client.post(client.directory.revokeCert!, revocation)).status, 200);
  await client.post(client.kid!, { termsOfServiceAgreed: true });
  await issue(client, ['a.example']);
  await assert.rejects(
    acme.administration.updateProfile('default', { terms_of_service: 'https://x/>\r\nX: y' }, 'system'),
    { code: 'invalid_profile' },
  );
});

test('a key that was reported compromised gets no further certificate', async (t) => {
  const { client } = await start(t, TRUST);
  await client.register();
  const key = newKey();
  const { der } = await issue(client, ['a.example'], {}, key);
  await client.post(client.directory.revokeCert!, { certificate: der.toString('base64url'), reason: 1 });
  const order = await client.order(['a.example']);
  const refused = await client.post(order.json.finalize, { csr: csrFor(['a.example'], key) });
  assert.equal(type(refused), 'badPublicKey');
  assert.equal((await client.post(order.json.finalize, { csr: csrFor(['a.example']) })).json.status, 'valid');
});

test('revoking an external account key ends its account in challenge mode too', async (t) => {
  const { client, acme } = await start(t, { eab_required: true });
  const eab = await acme.administration.createEabKey('default', {}, 'system');
  await client.register(boundAccount(client, eab));
  assert.equal((await client.order(['a.localhost'])).status, 201);
  await acme.administration.revokeEabKey('default', eab.id, 'system');
  assert.equal(type(await client.order(['a.localhost'])), 'unauthorized');
  const authz = { identifier: { type: 'dns', value: 'b.localhost' } };
  assert.equal(type(await client.post(client.directory.newAuthz!, authz)), 'unauthorized');
});

test('no second spelling of an address passes a rule, and no label that only looks encoded', async (t) => {
  const { client } = await start(t, { ...TRUST, names: { deny: ['10.0.0.0/8'] } });
  await client.register();
  assert.equal(type(await client.order(['10.0.0.1'])), 'rejectedIdentifier');
  assert.match((await client.order(['::ffff:10.0.0.1'])).json.detail, /written as one here: 10\.0\.0\.1/);
  assert.equal((await client.order(['2001:DB8:0::1'])).json.identifiers[0].value, '2001:db8::1');
  for (const name of ['xn--zzzzzz.example', 'ab--cd.example', 'b\u00fccher.example'])
    assert.equal(type(await client.order([name])), 'malformed', name);
  assert.equal((await client.order(['xn--bcher-kva.example'])).status, 201);
});

test('an order may name one of several certificate profiles', async (t) => {
  const certificate_profiles = {
    shortlived: { max_ttl_seconds: 518_400, common_name: 'none', description: 'six days' },
    mutual: { extended_key_usage: ['clientAuth'], key_types: ['p384'] },
  };
  const { client, acme } = await start(t, { ...TRUST, certificate_profiles });
  assert.deepEqual((client.directory.meta as unknown as { profiles: object }).profiles, {
    default: 'the profile default',
    shortlived: 'six days',
    mutual: 'the certificate profile mutual',
  });
  await client.register();
  const short = await issue(client, ['a.example'], { profile: 'shortlived' });
  assert.ok(short.notAfter - short.notBefore <= 518_460_000);
  const usual = await issue(client, ['a.example']);
  assert.ok(usual.notAfter - usual.notBefore > 80 * DAY);
  assert.equal(type(await client.order(['a.example'], { profile: 'other' })), 'invalidProfile');
  assert.equal(type(await client.order(['a.example'], { profile: '__proto__' })), 'invalidProfile');
  const order = await client.order(['a.example'], { profile: 'mutual' });
  assert.equal(order.json.profile, 'mutual');
  assert.equal(type(await client.post(order.json.finalize, { csr: csrFor(['a.example']) })), 'badCSR');
  const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey;
  const done = await client.post(order.json.finalize, { csr: csrFor(['a.example'], p384) });
  assert.equal(done.json.status, 'valid', done.text);
  const tooLong = { mutual: { max_ttl_seconds: 60, default_ttl_seconds: 61 } };
  await assert.rejects(acme.administration.updateProfile('default', { certificate_profiles: tooLong }, 'system'), {
    code: 'invalid_profile',
  });
});

test('a name is authorized in advance, and used by the order that follows (RFC 8555 §7.4.1)', async (t) => {
  const client = new RawAcme('');
  const http_port = await prove(t, client);
  const running = await start(t, {
    validation: { http_port, allowed_cidrs: LOOPBACK },
    names: { deny: ['no.localhost'] },
  });
  const asker = new RawAcme(running.directoryUrl, { key: client.key });
  await asker.start();
  await asker.register();
  const authorize = (value: unknown) => asker.post(asker.directory.newAuthz!, { identifier: { type: 'dns', value } });
  assert.equal(type(await authorize('*.a.localhost')), 'malformed');
  assert.equal(type(await authorize('no.localhost')), 'rejectedIdentifier');
  assert.equal(type(await authorize(7)), 'malformed');
  const made = await authorize('a.localhost');
  assert.equal(made.status, 201);
  const { challenges } = made.json;
  await asker.post(challenges.find((one: { type: string }) => one.type === 'http-01').url, {});
  await running.acme.idle();
  const order = await asker.order(['a.localhost']);
  assert.equal(order.json.status, 'ready');
  assert.deepEqual(order.json.authorizations, [made.headers.location]);
});

test('first starts at once agree on one nonce key', async (t) => {
  const store = await openMemoryStore();
  t.after(() => store.close());
  const clock = createVirtualClock();
  const secrets = createSealedSecretStore(store, createSealer([Buffer.alloc(32, 1)]), clock);
  const keys = await Promise.all(Array.from({ length: 5 }, () => openNonceKey({ store, secrets, clock })));
  assert.equal(new Set(keys.map((key) => Buffer.from(key).toString('hex'))).size, 1);
  assert.deepEqual(await openNonceKey({ store, secrets, clock }), keys[0]);
});

test('a certificate never outlives the CA: the usual lifetime is clipped or refused as the profile says, another is refused', async (t) => {
  const { client, clock, ca, acme } = await start(t, TRUST);
  await client.register();
  await clock.advance(ca.endsAt() - 30 * DAY - clock.now());
  const later = { notAfter: new Date(ca.endsAt() + 1000).toISOString() };
  assert.equal(type(await client.order(['a.example'], later)), 'malformed');
  assert.equal((await issue(client, ['a.example'])).notAfter, ca.endsAt());
  const early = await client.order(['a.example']);
  await acme.administration.updateProfile('default', { beyond_ca: 'refuse' }, 'test');
  const refused = await client.order(['a.example']);
  assert.deepEqual([refused.status, refused.headers['retry-after']], [503, '3600']);
  const finalized = await client.post(early.json.finalize, { csr: csrFor(['a.example']) });
  assert.deepEqual([finalized.status, type(finalized)], [503, 'serverInternal']);
  assert.equal((await client.order(['a.example'], { notAfter: new Date(ca.endsAt()).toISOString() })).status, 201);
});
