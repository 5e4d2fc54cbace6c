// Our accounts at CAs, and what CAs offer beside the default: with Pebble, and with our own server where Pebble cannot.
import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { createRequests } from '../../src/acme-client/request.ts';
import { createTransport } from '../../src/acme-client/transport.ts';
import { systemClock } from '../../src/base/index.ts';
import { parsePem } from '../../src/x509/index.ts';
import { startAcmeServer } from '../fixtures/acme-server.ts';
import { type AtPebble, startEngine, startEngineAtPebble, until } from '../fixtures/engine.ts';

const isValid = ({ status }: { status: string }) => status === 'valid';

test('the preferred chain is taken of those that the CA offers, and its first one where it has no such', async (t) => {
  const at = await startEngineAtPebble(t, { pebble: { alternateRoots: 2 } });
  if (at === undefined) return;
  const commonName = async (alternate: number) =>
    /CN=(.*)/.exec(new X509Certificate(await at.pebble.issuingRoot(alternate)).subject)![1]!;
  const { certificates, issuers } = at.engine;
  const put = (preferredChain: string) =>
    issuers.put({ id: 'pebble', directory: at.pebble.directory, caCertificate: at.pebble.caPem, preferredChain });
  const id = await certificates.ensure({ names: ['shop.example.com'], reference: 'domain:1' });
  let served = (await until(at, id, isValid)).served!.id;
  const top = async () => {
    await certificates.renew(id);
    served = (await until(at, id, (view) => isValid(view) && view.served?.id !== served)).served!.id;
    const last = parsePem('CERTIFICATE', (await certificates.chain(id))!).at(-1)!;
    return /CN=(.*)/.exec(new X509Certificate(last).issuer)![1];
  };
  for (const alternate of [2, 1, 0]) {
    await put(await commonName(alternate));
    assert.equal(await top(), await commonName(alternate));
  }
  await put('Nobody Root');
  assert.equal(await top(), await commonName(0));
});

/** What the CA has as the contact of our account. */
async function contactAt(t: TestContext, at: AtPebble): Promise<unknown> {
  const account = await at.store.db.selectFrom('issuer_account').selectAll().executeTakeFirstOrThrow();
  const key = createPrivateKey(Buffer.from((await at.secrets.get(account.key_path))!));
  const transport = createTransport({ caPem: at.pebble.caPem });
  t.after(() => transport.close());
  const requests = createRequests(at.pebble.directory, transport, systemClock);
  const { body } = await requests.post({ key, identity: { kid: account.url } }, account.url, '', {});
  return (JSON.parse(body.toString()) as { contact?: unknown }).contact;
}

test('a CA that lost everything has our account again, bound as before; a changed contact is told to it', async (t) => {
  const eab = { kid: 'kid-1', hmacKey: 'zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W' };
  const at = await startEngineAtPebble(t, { pebble: { eab } });
  if (at === undefined) return;
  const { certificates, issuers } = at.engine;
  const id = await certificates.ensure({ names: ['shop.example.com'], reference: 'domain:1' });
  const first = await until(at, id, isValid);
  await at.pebble.restart();
  await certificates.renew(id);
  const second = await until(at, id, (view) => isValid(view) && view.served?.id !== first.served?.id);
  const words = (await certificates.events(id, 0, 1000)).map(({ detail }) => detail);
  assert.ok(words.includes('pebble no longer knows our account; registering again'), words.join('\n'));

  await issuers.put({ id: 'pebble', directory: at.pebble.directory, contact: ['mailto:ops@example.com'] });
  await certificates.renew(id);
  await until(at, id, (view) => isValid(view) && view.served?.id !== second.served?.id);
  assert.deepEqual(await contactAt(t, at), ['mailto:ops@example.com']);
});

test('terms that were agreed to are on record; where others are asked for, the page is said and what is served stays', async (t) => {
  const terms = (version: number) => `https://ca.example/terms/${version}`;
  const ca = await startAcmeServer(t, {
    profile: { auth_mode: 'trust_authenticated', trust_without_eab: true, terms_of_service: terms(1) },
  });
  const at = await startEngine(t, { solvers: { edge: [] }, settings: { issuers: ['corp'] } });
  const { certificates, issuers } = at.engine;
  await issuers.put({ id: 'corp', directory: ca.directoryUrl, caCertificate: ca.rootPem });
  const id = await certificates.ensure({ names: ['a.example'], reference: 'domain:1' });
  const { served } = await until(at, id, isValid);
  assert.equal((await issuers.get('corp'))?.termsUrl, terms(1));
  const changed = { terms_of_service: terms(2), terms_must_be_agreed_again: true };
  await ca.acme.administration.updateProfile('default', changed, 'system');
  await certificates.renew(id);
  const { lastProblem, served: kept } = await until(at, id, (view) => view.lastProblem !== undefined);
  assert.equal(lastProblem!.class, 'policy');
  assert.match(lastProblem!.detail, /https:\/\/ca\.example\/terms\/2/);
  assert.match(lastProblem!.advice!, /agree to its terms/);
  assert.equal(kept?.id, served?.id);
});

test('of three issuers one is down and one refuses by its limit: the third issues, and the record says what was tried and why', async (t) => {
  const at = await startEngineAtPebble(t);
  if (at === undefined) return;
  const trust = { auth_mode: 'trust_authenticated', trust_without_eab: true };
  const limited = await startAcmeServer(t, {
    profile: { ...trust, limits: { orders: { count: 1, per_seconds: 3600 } } },
  });
  const corp = await startAcmeServer(t, { profile: trust });
  const { certificates, issuers } = at.engine;
  await issuers.put({ id: 'limited', directory: limited.directoryUrl, caCertificate: limited.rootPem });
  await issuers.put({ id: 'corp', directory: corp.directoryUrl, caCertificate: corp.rootPem });
  await at.pebble.process.stop();
  const inOrder = ['pebble', 'limited', 'corp'];
  const wish = (name: string) => certificates.ensure({ names: [name], issuers: inOrder, reference: `domain:${name}` });
  const first = await until(at, await wish('a.example'), isValid);
  assert.equal(first.served?.issuer, 'limited');
  const id = await wish('b.example');
  const second = await until(at, id, isValid);
  assert.equal(second.served?.issuer, 'corp');
  const words = (await certificates.events(id, 0, 1000)).map(({ detail }) => detail);
  assert.match(words.join('\n'), /^pebble: .*(left alone|ECONNREFUSED).*; trying the next issuer$/m);
  assert.match(words.join('\n'), /^limited: .*; trying the next issuer$/m);
  assert.ok(words.some((text) => text.startsWith('asking corp for b.example')));
  assert.match((await issuers.get('pebble'))?.heldBecause ?? '', /ECONNREFUSED/);
});
