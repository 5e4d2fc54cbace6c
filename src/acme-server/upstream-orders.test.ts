import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { startAcmeServer } from '../../test/fixtures/acme-server.ts';
import { RawAcme } from '../../test/fixtures/raw-acme.ts';
import { problemUrn } from '../acme/index.ts';
import { createVirtualClock, Fault, type Retry } from '../base/index.ts';
import { createCertificateAuthority } from '../ca/index.ts';
import { createSealedSecretStore, createSealer } from '../secrets/index.ts';
import { openMemoryStore } from '../store/index.ts';
import { createCertificationRequest, parseCertificationRequest, pemOf } from '../x509/index.ts';
import type { UpstreamIssuers } from './index.ts';
import { planUpstreamRetry } from './upstream-retry.ts';

const type = (answer: { json: { type?: string } }) => answer.json?.type?.split(':').at(-1);
const csr = (name: string) =>
  createCertificationRequest([name], generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey).toString(
    'base64url',
  );
const fault = (code: string, retry: Retry = 'backoff') =>
  new Fault({ code, detail: 'words of the CA', party: 'ca', retry });

/** Another CA that says what the test lets it say; without an answer it issues. */
async function otherCa(t: TestContext, answers: (Fault | undefined)[]) {
  const store = await openMemoryStore();
  t.after(() => store.close());
  const clock = createVirtualClock();
  const secrets = createSealedSecretStore(store, createSealer([Buffer.alloc(32, 9)]), clock);
  const ca = await createCertificateAuthority({ store, secrets, clock });
  const resumed: (string | undefined)[] = [];
  const revoked: number[] = [];
  const directory = { url: 'https://other.example/directory' };
  const issuers: UpstreamIssuers = {
    directoryOf: async (id) => (id === 'other' ? directory.url : undefined),
    async obtain({ names, csr: der, resume, onOrder }) {
      resumed.push(resume);
      await onOrder('https://other.example/order/1');
      const said = answers.shift();
      if (said !== undefined) throw said;
      const { spki, spkiHash } = parseCertificationRequest(der);
      const leaf = { spki, spkiHash, keyIsRsa: false, dns: names, ip: [], extendedKeyUsage: ['serverAuth'] as const };
      const row = await ca.issue({ ...leaf, notAfter: clock.now() + 86_400_000 });
      const chain = [row.certificate, ...(await ca.chains(row.authority_id))[0]!];
      return chain.map((one) => pemOf('CERTIFICATE', one)).join('');
    },
    async revoke(_, __, reason) {
      const said = answers.shift();
      if (said !== undefined) throw said;
      revoked.push(reason);
    },
  };
  return { issuers, resumed, revoked, directory };
}

async function start(t: TestContext, answers: (Fault | undefined)[]) {
  const other = await otherCa(t, answers);
  const clock = createVirtualClock();
  const profile = { auth_mode: 'trust_authenticated', trust_without_eab: true, issuer: 'other' };
  const ended = new AbortController();
  let done: Promise<void> | undefined;
  // First, since the store closes with the server.
  t.after(() => {
    ended.abort();
    return done;
  });
  const running = await startAcmeServer(t, { plain: true, clock, upstream: other.issuers, profile });
  done = running.acme.run(ended.signal);
  const client = await new RawAcme(running.directoryUrl).start();
  await client.register();
  const settled = async (url: string) => {
    for (;;) {
      const answer = await client.post(url, '');
      if (answer.json.status !== 'processing') return answer.json;
      assert.equal(answer.headers['retry-after'], '1');
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  return { ...running, ...other, clock, client, settled };
}

test('an order is processing until the CA behind has issued; revocation goes there first', async (t) => {
  const passing = fault(problemUrn('serverInternal'));
  const at = await start(t, [passing, undefined, fault(problemUrn('unauthorized')), undefined]);
  const order = await at.client.order(['a.example']);
  const finalized = await at.client.post(order.json.finalize, { csr: csr('a.example') });
  assert.deepEqual([finalized.json.status, finalized.headers['retry-after']], ['processing', '2']);
  assert.equal(type(await at.client.post(order.json.finalize, { csr: csr('a.example') })), 'orderNotReady');
  while (at.resumed.length < 2) await at.clock.advance(5_000);
  const valid = await at.settled(order.headers.location!);
  assert.deepEqual(at.resumed, [undefined, 'https://other.example/order/1'], 'the second try goes on with the order');
  const { text } = await at.client.post(valid.certificate, '');
  assert.equal(text.match(/BEGIN CERTIFICATE/g)?.length, 2);
  const [, body = ''] = /CERTIFICATE-----\n([\s\S]+?)-----END/.exec(text) ?? [];
  const certificate = Buffer.from(body, 'base64').toString('base64url');
  const refused = await at.client.post(at.client.directory.revokeCert!, { certificate, reason: 4 });
  assert.equal(type(refused), 'unauthorized');
  assert.match(refused.json.detail, /other, which issued it, did not revoke it: words of the CA/);
  assert.equal((await at.client.post(at.client.directory.revokeCert!, { certificate, reason: 4 })).status, 200);
  assert.deepEqual(at.revoked, [4]);
});

test('a verdict of the CA behind ends the order with its words', async (t) => {
  const at = await start(t, [fault(problemUrn('caa'))]);
  const order = await at.client.order(['a.example']);
  await at.client.post(order.json.finalize, { csr: csr('a.example') });
  const invalid = await at.settled(order.headers.location!);
  assert.equal(invalid.status, 'invalid');
  assert.equal(invalid.error.type, problemUrn('caa'));
  assert.equal(invalid.error.detail, 'other, by which this profile issues: words of the CA');
});

test('an issuer that was pointed at this server later ends its orders, which would come back for ever', async (t) => {
  const at = await start(t, []);
  at.directory.url = at.directoryUrl;
  const order = await at.client.order(['a.example']);
  await at.client.post(order.json.finalize, { csr: csr('a.example') });
  const invalid = await at.settled(order.headers.location!);
  assert.match(invalid.error.detail, /other is this ACME server itself/);
  assert.deepEqual(at.resumed, [], 'nobody was asked');
  assert.equal((await at.acme.administration.updateProfile('default', { max_ttl_seconds: 3600 }, 't')).issuer, 'other');
});

test('a profile names an issuer that exists, and the lifetime is for that CA to say', async (t) => {
  const at = await start(t, []);
  const { administration } = at.acme;
  await assert.rejects(administration.createProfile({ id: 'x', issuer: 'nobody' }, 'system'), {
    code: 'invalid_profile',
  });
  for (const own of [at.directoryUrl, `http://127.0.0.1:${new URL(at.directoryUrl).port}/acme/profile/y/directory`]) {
    at.directory.url = own;
    await assert.rejects(administration.createProfile({ id: 'x', issuer: 'other' }, 'system'), /is this server itself/);
  }
  const notAfter = new Date(at.clock.now() + 86_400_000).toISOString();
  assert.equal(type(await at.client.order(['a.example'], { notAfter })), 'malformed');
});

test('what a CA says of itself is tried again until the end of the order; what it says of the order is not', () => {
  const at = { attempts: 1, expiresAt: 1_000_000, now: 0 };
  assert.deepEqual(planUpstreamRetry(fault('ca_too_slow'), at), { kind: 'again', at: 5_000 });
  assert.deepEqual(planUpstreamRetry(fault('ca_too_slow'), { ...at, attempts: 60 }), { kind: 'again', at: 300_000 });
  const limited = problemUrn('rateLimited');
  assert.deepEqual(planUpstreamRetry(fault(limited, { notBefore: 700_000 }), at), { kind: 'again', at: 700_000 });
  assert.deepEqual(planUpstreamRetry(fault(limited, { notBefore: 1_000_000 }), at), { kind: 'give up' });
  for (const verdict of ['caa', 'dns', 'rejectedIdentifier', 'badCSR'] as const)
    assert.deepEqual(planUpstreamRetry(fault(problemUrn(verdict)), at), { kind: 'give up' });
  assert.deepEqual(planUpstreamRetry(fault('anything', 'never'), at), { kind: 'give up' });
});
