// What is looked at before an order, with real name servers: PowerDNS has the zones, BIND is the resolver that validates.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createDnsViews } from '../../src/dns/index.ts';
import { type CaIdentity, createPreflight } from '../../src/preflight/index.ts';
import { isProofFresh, mayWrite } from '../../src/solvers/dns/index.ts';
import { createDns01World, type Dns01World } from '../fixtures/dns01.ts';
import { loopbackZone, startDistrustingResolver, startPowerDns } from '../fixtures/name-servers.ts';

const ZONES = {
  test: loopbackZone('test'),
  'validation.test': loopbackZone('validation.test'),
  'shop.test': loopbackZone(
    'shop.test',
    `by-dns A 127.0.0.1
by-dns CAA 0 issue "ca.test; validationmethods=dns-01"
by-http A 127.0.0.1
by-http CAA 0 issue "ca.test; validationmethods=http-01"
other CAA 0 issue "other.test"
bound CAA 0 issue "ca.test; accounturi=https://ca.test/acct/2"
_acme-challenge.dangling CNAME x.nowhere.test.
_acme-challenge.elsewhere CNAME elsewhere.validation.test.`,
  ),
};
const CA: CaIdentity = { issuer: 'corp', isPublic: false, caNames: ['ca.test'], accountUri: 'https://ca.test/acct/1' };
const DAY = 86_400_000;

const preflightOf = ({ dns, credentials }: Dns01World, ca: CaIdentity = CA) => {
  const preflight = createPreflight({
    dns,
    views: createDnsViews(dns),
    addresses: ['192.0.2.7'],
    credentials: {
      credentialFor: credentials.credentialFor,
      async look(id, place) {
        const view = await credentials.get(id);
        if (view === undefined) return undefined;
        const { name, validation } = view;
        const isOld = validation === 'valid' && !isProofFresh(view, Date.now());
        return { id, name, validation: isOld ? 'old' : validation, covers: mayWrite(view, place) };
      },
    },
    caOf: async () => ca,
    proveCredential: async (id, signal) => void (await credentials.ready(id, signal)),
  });
  return (name: string, challenge = 'auto') =>
    preflight.check({ names: [name], issuerId: ca.issuer, challenge, signal: AbortSignal.timeout(30_000) });
};

async function world(t: TestContext) {
  const server = await startPowerDns(t, ZONES);
  if (server === undefined) return undefined;
  const made = await createDns01World(t, { resolvers: [server.address], nameServerPort: server.port });
  const credential = (zone: string) =>
    made.credentials.create({
      name: zone,
      provider: 'powerdns',
      zones: [zone],
      fields: { endpoint: server.api, api_key: server.apiKey },
    });
  return { ...made, server, credential };
}

test('CAA with its bindings, addresses that are not ours, and delegations to nowhere', async (t) => {
  const at = await world(t);
  if (at === undefined) return;
  const check = preflightOf(at);
  const elsewhere = await check('www.shop.test');
  assert.equal(elsewhere.blocking, undefined);
  assert.match(elsewhere.words.join(), /www\.shop\.test is at 127\.0\.0\.1, which is not this edge \(192\.0\.2\.7\)/);
  assert.match((await check('other.shop.test')).blocking!.message, /allows only other\.test, and not ca\.test/);
  const bound = (await check('bound.shop.test')).blocking!;
  assert.match(bound.message, /binds issuance to the account https:\/\/ca\.test\/acct\/2, and ours is .*acct\/1/);
  assert.match(bound.details.advice!, /accounturi=https:\/\/ca\.test\/acct\/1/);
  // Without an account at the CA nobody can say.
  const { accountUri: _, ...stranger } = CA;
  assert.match((await preflightOf(at, stranger)('bound.shop.test')).words.join(), /we have no account at corp yet/);

  // What would be used counts, named or not.
  assert.match((await check('by-dns.shop.test')).blocking!.message, /only the method dns-01, and this is tls-alpn-01/);
  assert.match((await check('by-dns.shop.test', 'http-01')).blocking!.message, /and this is http-01/);
  assert.deepEqual([...(await check('by-http.shop.test')).methods], [['by-http.shop.test', ['http-01']]]);
  await at.credential('shop.test');
  const byDns = await check('by-dns.shop.test');
  assert.equal(byDns.blocking, undefined);
  assert.deepEqual([...byDns.methods], [['by-dns.shop.test', ['dns-01']]]);

  const dangling = (await check('*.dangling.shop.test')).blocking!;
  assert.match(
    dangling.message,
    /_acme-challenge\.dangling\.shop\.test is a CNAME to x\.nowhere\.test, and there is no/,
  );
  assert.match((await check('dangling.shop.test')).words.join(), /is a CNAME to x\.nowhere\.test/);
  assert.match(
    (await check('*.elsewhere.shop.test')).blocking!.message,
    /no DNS credential is for a zone of elsewhere/,
  );
});

test('a credential that nobody named is proved again when its proof is a day old, and a failed proof stops the order', async (t) => {
  const at = await world(t);
  if (at === undefined) return;
  const { id } = await at.credential('shop.test');
  const { store, secrets, server } = at;
  const age = (validated_at: number) =>
    store.db.updateTable('dns_credential').set({ validated_at }).where('id', '=', id).execute();
  const withKey = (api_key: string) =>
    secrets.put(`dns-credentials/${id}`, Buffer.from(JSON.stringify({ endpoint: server.api, api_key })));
  // Of this CA nothing is known but its answers, so nothing else is looked at.
  const check = preflightOf(at, { issuer: 'private', isPublic: false, caNames: [] });
  await withKey('revoked');
  assert.equal((await check('*.shop.test')).blocking, undefined);
  await age(Date.now() - DAY);
  const refused = (await check('*.shop.test')).blocking!;
  assert.equal(refused.code, 'dns_credential_unproven');
  assert.match(refused.message, /shop\.test failed its proof/);
  // Where DNS is only one way of several, it keeps nothing from going on.
  assert.equal((await check('www.shop.test')).blocking, undefined);
  await withKey(server.apiKey);
  assert.equal((await check('*.shop.test')).blocking, undefined);
  assert.ok((await at.credentials.get(id))!.validatedAt! > Date.now() - DAY);
});

test('broken DNSSEC is said, as a resolver that validates sees it', async (t) => {
  const server = await startPowerDns(t, ZONES);
  const resolver = server && (await startDistrustingResolver(t, 'shop.test', server));
  if (resolver === undefined) return;
  const at = await createDns01World(t, { resolvers: [resolver.address], nameServerPort: server!.port });
  const { words, blocking } = await preflightOf(at)('www.shop.test');
  assert.match(
    words.join(),
    /a validating resolver refuses www\.shop\.test and answers it unchecked: DNSSEC is broken/,
  );
  // A resolver whose clock is wrong sees the same, so it is advice.
  assert.equal(blocking, undefined);
});
