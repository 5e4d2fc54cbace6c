import assert from 'node:assert/strict';
import { createHmac, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { startAcmeServer } from '../../test/fixtures/acme-server.ts';
import { b64, RawAcme, rawJws, rawKey } from '../../test/fixtures/raw-acme.ts';
import { createVirtualClock } from '../base/index.ts';
import { createCertificationRequest, parsePem } from '../x509/index.ts';

const LOOPBACK = ['127.0.0.0/8', '::1/128'];
const TRUST = { auth_mode: 'trust_authenticated', trust_without_eab: true };
const newKey = () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
const csrFor = (names: string[], key = newKey()) => createCertificationRequest(names, key).toString('base64url');
const type = (answer: { json: { type?: string } }) => answer.json?.type?.split(':').at(-1);

async function issue(acme: RawAcme, names: string[], key = newKey()): Promise<Buffer[]> {
  const order = await acme.order(names);
  assert.equal(order.status, 201, order.text);
  const done = await acme.post(order.json.finalize, { csr: csrFor(names, key) });
  assert.equal(done.json.status, 'valid', done.text);
  return parsePem('CERTIFICATE', (await acme.post(done.json.certificate, '')).text);
}

/** Serves key authorizations on loopback as an http-01 client does. */
async function serveChallenges(t: TestContext, answers: Map<string, string>): Promise<number> {
  const server = createServer((request, response) =>
    response.end(answers.get(request.url?.split('/').at(-1) ?? '') ?? 'no'),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

test('an account is made once, found, updated, and ends for good', async (t) => {
  const { directoryUrl } = await startAcmeServer(t, {
    plain: true,
    profile: { terms_of_service: 'https://ca.example/terms' },
  });
  const acme = await new RawAcme(directoryUrl).start();
  assert.equal(type(await acme.register({})), 'userActionRequired');
  assert.equal(type(await acme.register({ onlyReturnExisting: true })), 'accountDoesNotExist');
  assert.equal(type(await acme.register({ termsOfServiceAgreed: true, contact: ['tel:1'] })), 'unsupportedContact');
  assert.equal(
    type(await acme.register({ termsOfServiceAgreed: true, contact: ['mailto:a@b.example?x=1'] })),
    'invalidContact',
  );
  const made = await acme.register({ termsOfServiceAgreed: true, contact: ['mailto:a@b.example'] });
  assert.equal(made.status, 201);
  const again = new RawAcme(directoryUrl, { key: acme.key });
  await again.start();
  assert.equal((await again.register({ onlyReturnExisting: true })).status, 200);
  assert.equal(again.kid, acme.kid);
  const updated = await acme.post(acme.kid!, { contact: [] });
  assert.deepEqual([updated.status, updated.json.contact], [200, undefined]);
  assert.equal((await acme.post(acme.kid!, { status: 'deactivated' })).json.status, 'deactivated');
  assert.equal(type(await acme.post(acme.kid!, '')), 'unauthorized');
});

test('in challenge mode an order waits for http-01, and a valid authorization is used again', async (t) => {
  const answers = new Map<string, string>();
  const http_port = await serveChallenges(t, answers);
  const { directoryUrl, acme: server } = await startAcmeServer(t, {
    plain: true,
    profile: { validation: { http_port, allowed_cidrs: LOOPBACK } },
  });
  const acme = await new RawAcme(directoryUrl).start();
  await acme.register();
  const order = await acme.order(['a.localhost', '127.0.0.1']);
  assert.equal(order.json.status, 'pending');
  assert.equal(
    type(await acme.post(order.json.finalize, { csr: csrFor(['a.localhost', '127.0.0.1']) })),
    'orderNotReady',
  );
  for (const url of order.json.authorizations) {
    const authorization = (await acme.post(url, '')).json;
    const challenge = authorization.challenges.find((c: { type: string }) => c.type === 'http-01');
    assert.equal(
      authorization.challenges.some((c: { type: string }) => c.type === 'dns-01'),
      authorization.identifier.type === 'dns',
    );
    answers.set(challenge.token, acme.keyAuthorization(challenge.token));
    assert.equal((await acme.post(challenge.url, {})).json.status, 'valid');
  }
  await server.idle();
  assert.equal((await acme.post(order.headers.location!, '')).json.status, 'ready');
  const done = await acme.post(order.json.finalize, { csr: csrFor(['a.localhost', '127.0.0.1']) });
  assert.equal(done.json.status, 'valid', done.text);
  assert.equal((await acme.order(['a.localhost'])).json.status, 'ready');
});

test('a failed challenge tells why, ends the order, and shows no byte of what was fetched', async (t) => {
  const http_port = await serveChallenges(t, new Map());
  const { directoryUrl, acme: server } = await startAcmeServer(t, {
    plain: true,
    profile: { validation: { http_port, allowed_cidrs: LOOPBACK } },
  });
  const acme = await new RawAcme(directoryUrl).start();
  await acme.register();
  const order = await acme.order(['a.localhost']);
  const { challenges } = (await acme.post(order.json.authorizations[0], '')).json;
  await acme.post(challenges.find((c: { type: string }) => c.type === 'http-01').url, {});
  await server.idle();
  const authorization = (await acme.post(order.json.authorizations[0], '')).json;
  assert.equal(authorization.status, 'invalid');
  assert.match(authorization.challenges[0].error.type, /unauthorized$/);
  assert.equal((await acme.post(order.headers.location!, '')).json.status, 'invalid');
});

test('policy refuses before an order exists, with a subproblem for each name', async (t) => {
  const { directoryUrl, store } = await startAcmeServer(t, {
    plain: true,
    profile: { ...TRUST, names: { allow: ['*.corp.example', '10.0.0.0/8'], deny: ['secret.corp.example'] } },
  });
  const acme = await new RawAcme(directoryUrl).start();
  await acme.register();
  const refused = await acme.order(['ok.corp.example', 'secret.corp.example', 'shop.example', '192.0.2.1']);
  assert.equal(type(refused), 'rejectedIdentifier');
  assert.deepEqual(
    refused.json.subproblems.map((p: { identifier: { value: string } }) => p.identifier.value),
    ['secret.corp.example', 'shop.example', '192.0.2.1'],
  );
  // A wildcard would cover the denied name.
  assert.equal(type(await acme.order(['*.corp.example'])), 'rejectedIdentifier');
  for (const value of [
    '*.*.corp.example',
    'münchen.corp.example',
    'corp',
    'a..corp.example',
    '10.1',
    'a.corp.example.',
  ])
    assert.match(String(type(await acme.order([value]))), /malformed/, value);
  const email = await acme.post(acme.directory.newOrder!, { identifiers: [{ type: 'email', value: 'a@b.example' }] });
  assert.equal(type(email), 'unsupportedIdentifier');
  assert.equal((await store.db.selectFrom('acme_order').selectAll().execute()).length, 0);
  assert.equal((await issue(acme, ['ok.corp.example', '*.deep.corp.example', '10.0.0.1'])).length, 2);
});

test('the request must have exactly the names of the order, and a key of its own', async (t) => {
  const { directoryUrl } = await startAcmeServer(t, { plain: true, profile: TRUST });
  const acme = await new RawAcme(directoryUrl).start();
  await acme.register();
  const { finalize } = (await acme.order(['a.example', 'b.example'])).json;
  for (const names of [['a.example'], ['a.example', 'b.example', 'c.example'], ['a.example', '10.0.0.1']])
    assert.equal(type(await acme.post(finalize, { csr: csrFor(names) })), 'badCSR', names.join());
  assert.equal(
    type(await acme.post(finalize, { csr: csrFor(['a.example', 'b.example'], acme.key.privateKey) })),
    'badCSR',
  );
  assert.equal(type(await acme.post(finalize, { csr: 'AAAA' })), 'badCSR');
  const weak = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey;
  assert.equal(type(await acme.post(finalize, { csr: csrFor(['a.example', 'b.example'], weak) })), 'badCSR');
  const good = csrFor(['b.example', 'a.example']);
  const [one, two] = [await acme.post(finalize, { csr: good }), await acme.post(finalize, { csr: good })];
  assert.equal(one.json.status, 'valid');
  assert.equal(type(two), 'orderNotReady');
});

test('lifetimes follow profile and order', async (t) => {
  const clock = createVirtualClock();
  const { directoryUrl } = await startAcmeServer(t, {
    plain: true,
    clock,
    profile: { ...TRUST, max_ttl_seconds: 86_400, default_ttl_seconds: 3600 },
  });
  const acme = await new RawAcme(directoryUrl).start();
  await acme.register();
  const [leaf] = await issue(acme, ['a.example']);
  assert.equal(Date.parse(new X509Certificate(leaf!).validTo), clock.now() + 3_600_000);
  const asks = new Date(clock.now() + 7_200_000).toISOString();
  assert.equal((await acme.order(['a.example'], { notAfter: asks })).json.notAfter, asks.replace('.000Z', 'Z'));
  assert.equal(
    type(await acme.order(['a.example'], { notAfter: new Date(clock.now() + 90_000_000).toISOString() })),
    'malformed',
  );
  assert.equal(type(await acme.order(['a.example'], { notAfter: 'tomorrow' })), 'malformed');
  const late = await acme.order(['a.example']);
  await clock.advance(8 * 86_400_000);
  assert.equal((await acme.post(late.headers.location!, '')).json.status, 'invalid');
});

test('revocation: by the account, by the key, by one with authority over the names, and by nobody else', async (t) => {
  const { directoryUrl, acme: server } = await startAcmeServer(t, { plain: true, profile: TRUST });
  const owner = await new RawAcme(directoryUrl).start();
  await owner.register();
  const stranger = await new RawAcme(directoryUrl).start();
  await stranger.register();
  const key = newKey();
  const [first, second] = [await issue(owner, ['a.example'], key), await issue(owner, ['a.example'], key)].map(
    ([leaf]) => leaf!.toString('base64url'),
  );
  const revokeUrl = owner.directory.revokeCert!;
  assert.equal(type(await owner.post(revokeUrl, { certificate: first, reason: 8 })), 'badRevocationReason');
  assert.equal(type(await stranger.post(revokeUrl, { certificate: first, reason: 1 })), 'badRevocationReason');
  await server.administration.updateProfile('default', { names: { deny: ['a.example'] } }, 'system');
  assert.equal(type(await stranger.post(revokeUrl, { certificate: first })), 'rejectedIdentifier');
  await server.administration.updateProfile('default', { names: { deny: [] } }, 'system');
  assert.equal((await stranger.post(revokeUrl, { certificate: first })).status, 200);
  assert.equal(type(await owner.post(revokeUrl, { certificate: first })), 'alreadyRevoked');
  const byKey = await new RawAcme(directoryUrl, { key: { ...rawKey(), privateKey: key } }).start();
  const jwk = (await import('node:crypto')).createPublicKey(key).export({ format: 'jwk' });
  assert.equal(
    type(await byKey.post(revokeUrl, { certificate: second, reason: 1 })),
    'malformed',
    'the jwk is of another key',
  );
  assert.equal((await byKey.post(revokeUrl, { certificate: second, reason: 1 }, { jwk })).status, 200);
});

test('key change: both signatures and every inner rule; afterwards only the new key counts', async (t) => {
  const { directoryUrl } = await startAcmeServer(t, { plain: true, profile: TRUST });
  const acme = await new RawAcme(directoryUrl).start();
  await acme.register();
  const taken = await new RawAcme(directoryUrl).start();
  await taken.register();
  const url = acme.directory.keyChange!;
  const next = rawKey('ed25519');
  const inner = (changes: { header?: object; claim?: object; signer?: ReturnType<typeof rawKey> } = {}) => {
    const signer = changes.signer ?? next;
    return rawJws(
      signer,
      { alg: signer.alg, url, jwk: signer.jwk, ...changes.header },
      { account: acme.kid, oldKey: acme.key.jwk, ...changes.claim },
    );
  };
  for (const wrong of [
    inner({ header: { url: `${url}x` } }),
    inner({ header: { nonce: 'AAAA' } }),
    inner({ header: { jwk: undefined, kid: acme.kid } }),
    inner({ header: { jwk: rawKey('ed25519').jwk } }),
    inner({ claim: { account: taken.kid } }),
    inner({ claim: { oldKey: next.jwk } }),
  ])
    assert.equal(type(await acme.post(url, wrong)), 'malformed');
  const conflict = await acme.post(url, inner({ signer: taken.key }));
  assert.deepEqual([conflict.status, conflict.headers.location], [409, taken.kid]);
  assert.equal((await acme.post(url, inner())).status, 200);
  assert.equal(type(await acme.post(acme.kid!, '')), 'badSignatureAlgorithm', 'the old key signs no more');
  const renewed = await new RawAcme(directoryUrl, { key: next }).start();
  renewed.kid = acme.kid;
  assert.equal((await renewed.post(acme.kid!, '')).status, 200);
});

test('trust needs an EAB key that lives, and gives the names on its list', async (t) => {
  const { directoryUrl, acme: server } = await startAcmeServer(t, {
    plain: true,
    profile: { auth_mode: 'trust_authenticated', eab_required: true },
  });
  const { administration } = server;
  await assert.rejects(administration.createProfile({ id: 'open', auth_mode: 'trust_authenticated' }, 'system'), {
    code: 'invalid_profile',
  });
  const eab = await administration.createEabKey(
    'default',
    { names: { allow: ['*.team.example'] }, max_certificates: 2 },
    'system',
  );
  const acme = await new RawAcme(directoryUrl).start();
  assert.equal(
    acme.directory.meta &&
      (acme.directory.meta as unknown as { externalAccountRequired: boolean }).externalAccountRequired,
    true,
  );
  assert.equal(type(await acme.register()), 'externalAccountRequired');
  const binding = (changes: { header?: object; hmac?: string; jwk?: object } = {}) => {
    const head = b64({ alg: 'HS256', kid: eab.id, url: acme.directory.newAccount, ...changes.header });
    const body = b64(changes.jwk ?? acme.key.jwk);
    const signature = createHmac('sha256', Buffer.from(changes.hmac ?? eab.hmac_key, 'base64url'))
      .update(`${head}.${body}`)
      .digest('base64url');
    return { externalAccountBinding: { protected: head, payload: body, signature } };
  };
  assert.equal(type(await acme.register(binding({ hmac: 'AAAA' }))), 'unauthorized');
  assert.equal(type(await acme.register(binding({ header: { kid: 'eab_unknown' } }))), 'unauthorized');
  assert.equal(type(await acme.register(binding({ header: { url: 'https://x.example' } }))), 'malformed');
  assert.equal(type(await acme.register(binding({ header: { alg: 'ES256' } }))), 'badSignatureAlgorithm');
  assert.equal(type(await acme.register(binding({ jwk: rawKey().jwk }))), 'malformed');
  assert.equal((await acme.register(binding())).status, 201);
  const second = await new RawAcme(directoryUrl).start();
  assert.equal(
    type(await second.register(binding({ jwk: second.key.jwk }))),
    'unauthorized',
    'one key binds one account',
  );
  assert.equal(type(await acme.order(['a.other.example'])), 'rejectedIdentifier');
  await issue(acme, ['a.team.example']);
  const pending = await acme.order(['b.team.example']);
  await issue(acme, ['c.team.example']);
  assert.equal(
    type(await acme.post(pending.json.finalize, { csr: csrFor(['b.team.example']) })),
    'unauthorized',
    'the quota is used up',
  );
  await administration.revokeEabKey('default', eab.id, 'system');
  assert.equal(type(await acme.order(['a.team.example'])), 'unauthorized');
});

test('renewal information and replaces follow RFC 9773', async (t) => {
  const clock = createVirtualClock();
  const { directoryUrl } = await startAcmeServer(t, { plain: true, clock, profile: TRUST });
  const acme = await new RawAcme(directoryUrl).start();
  await acme.register();
  const [leaf] = await issue(acme, ['a.example']);
  const { ariCertificateId } = await import('../acme/index.ts');
  const { parseCertificate } = await import('../x509/index.ts');
  const { authorityKeyIdentifier, serial, notBefore, notAfter } = parseCertificate(leaf!);
  const id = ariCertificateId(authorityKeyIdentifier!, serial);
  const info = await acme.send('GET', `${acme.directory.renewalInfo}/${id}`);
  const { start, end } = info.json.suggestedWindow;
  assert.ok(Date.parse(start) > notBefore && Date.parse(end) > Date.parse(start) && Date.parse(end) < notAfter);
  assert.match(String(info.headers['retry-after']), /^\d+$/);
  assert.equal((await acme.send('GET', `${acme.directory.renewalInfo}/AAAA.AAAA`)).status, 404);
  assert.equal(type(await acme.order(['b.example'], { replaces: id })), 'malformed', 'no name in common');
  const stranger = await new RawAcme(directoryUrl).start();
  await stranger.register();
  assert.equal(type(await stranger.order(['a.example'], { replaces: id })), 'unauthorized');
  const order = await acme.order(['a.example'], { replaces: id });
  assert.equal(order.json.replaces, id);
  const twice = await acme.order(['a.example'], { replaces: id });
  assert.deepEqual([twice.status, type(twice)], [409, 'alreadyReplaced']);
  await acme.post(acme.directory.revokeCert!, { certificate: leaf!.toString('base64url') });
  const revoked = await acme.send('GET', `${acme.directory.renewalInfo}/${id}`);
  assert.ok(Date.parse(revoked.json.suggestedWindow.end) <= clock.now());
});

test('limits are told with Retry-After, and end with time', async (t) => {
  const clock = createVirtualClock();
  const { directoryUrl } = await startAcmeServer(t, {
    plain: true,
    clock,
    profile: { ...TRUST, limits: { orders: { count: 2, per_seconds: 3600 } } },
  });
  const acme = await new RawAcme(directoryUrl).start();
  await acme.register();
  for (const name of ['a.example', 'b.example']) assert.equal((await acme.order([name])).status, 201);
  const refused = await acme.order(['c.example']);
  assert.deepEqual([refused.status, type(refused), refused.headers['retry-after']], [429, 'rateLimited', '1800']);
  await clock.advance(1_800_000);
  assert.equal((await acme.order(['c.example'])).status, 201);
});
