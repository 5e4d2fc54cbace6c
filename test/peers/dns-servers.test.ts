import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { createAcmeClient, obtainCertificate } from '../../src/acme-client/index.ts';
import { silentLogger, systemClock } from '../../src/base/index.ts';
import { dnsSolvers } from '../../src/solvers/dns/index.ts';
import { generateKey } from '../../src/x509/index.ts';
import { createDns01World, type Dns01World, txtValues } from '../fixtures/dns01.ts';
import { loopbackZone, startBind, startKnot, startPowerDns } from '../fixtures/name-servers.ts';
import { startPebble } from '../fixtures/pebble.ts';

const ZONES = {
  'shop.test': loopbackZone('shop.test', '_acme-challenge.delegated CNAME delegated.validation.shop.test.'),
  'deep.shop.test': loopbackZone('deep.shop.test'),
};

interface Server {
  readonly address: string;
  readonly port: number;
  readonly provider: string;
  readonly fields: Record<string, string>;
}

const SERVERS: Record<string, (t: TestContext) => Promise<Server | undefined>> = {
  'PowerDNS by its HTTP API': async (t) => {
    const server = await startPowerDns(t, ZONES);
    return server && { ...server, provider: 'powerdns', fields: { endpoint: server.api, api_key: server.apiKey } };
  },
  'BIND by signed updates': async (t) => signedUpdates(await startBind(t, ZONES)),
  'Knot by signed updates': async (t) => signedUpdates(await startKnot(t, ZONES)),
};

function signedUpdates(server: Awaited<ReturnType<typeof startBind>>): Server | undefined {
  if (server === undefined) return undefined;
  const fields = { nameserver: server.address, tsig_name: server.tsig.name, tsig_secret: server.tsig.secret };
  return { ...server, provider: 'rfc2136', fields };
}

for (const [title, start] of Object.entries(SERVERS)) {
  test(`${title}: a wildcard, its apex and a delegated name are certified, and nothing is left behind`, async (t) => {
    const server = await start(t);
    const pebble = server === undefined ? undefined : await startPebble(t, { dnsServer: server.address });
    if (server === undefined || pebble === undefined) return;
    const world = await createDns01World(t, { resolvers: [server.address], nameServerPort: server.port });
    const credential = await world.credentials.create({
      name: 'production',
      provider: server.provider,
      zones: ['shop.test'],
      fields: server.fields,
    });
    assert.equal(credential.validation, 'valid', credential.validationDetail ?? '');
    assert.match(credential.validationDetail!, /wrote and removed _gatehouse-proof\.shop\.test/);
    const names = ['*.shop.test', 'shop.test', 'delegated.shop.test', 'a.deep.shop.test'];
    const client = createAcmeClient({ directory: pebble.directory, caPem: pebble.caPem, clock: systemClock });
    t.after(() => client.close());
    const solvers = await dnsSolvers({ ...world, log: silentLogger }, { names, credentialId: credential.id });
    const account = await client.register(await generateKey('ec-p256'), { contact: [] });
    const { chain } = await obtainCertificate({ client, account, names, solvers, key: await generateKey('ec-p256') });
    const leaf = new X509Certificate(chain.pem);
    assert.deepEqual(leaf.subjectAltName?.split(', ').sort(), names.map((name) => `DNS:${name}`).sort());
    for (const place of [
      '_acme-challenge.shop.test',
      'delegated.validation.shop.test',
      '_acme-challenge.a.deep.shop.test',
    ])
      assert.deepEqual(await txtValues(world.dns, server.address, place), []);
    assert.deepEqual(await world.store.db.selectFrom('dns_record').selectAll().execute(), []);
  });

  test(`${title}: values of others at the same name stay, and ours go one by one`, async (t) => {
    const server = await start(t);
    if (server === undefined) return;
    const mine = await worldWithCredential(t, server);
    const theirs = await worldWithCredential(t, server);
    const name = '_acme-challenge.shop.test';
    const challenge = (value: string) => ({ recordName: name, value });
    const present = ({ dns01 }: Dns01World, ...values: string[]) =>
      dns01.present({ owner: 'test', challenges: values.map(challenge) });
    // At once, from two worlds that know nothing of each other.
    const [ours, others] = await Promise.all([present(mine, 'one', 'two'), present(theirs, 'three')]);
    const reports = await Promise.all([mine.dns01.waitForPropagation(ours), theirs.dns01.waitForPropagation(others)]);
    assert.ok(reports.every(({ agreed }) => agreed));
    assert.deepEqual(await txtValues(mine.dns, server.address, name), ['one', 'three', 'two']);
    await mine.dns01.cleanUp(ours.id);
    await mine.dns01.cleanUp(ours.id);
    assert.deepEqual(await txtValues(mine.dns, server.address, name), ['three']);
    await theirs.dns01.cleanUp(others.id);
    assert.deepEqual(await txtValues(mine.dns, server.address, name), []);
  });
}

async function worldWithCredential(t: TestContext, server: Server): Promise<Dns01World> {
  const world = await createDns01World(t, { resolvers: [server.address], nameServerPort: server.port });
  await world.credentials.create({ name: 'c', provider: server.provider, zones: ['shop.test'], fields: server.fields });
  return world;
}
