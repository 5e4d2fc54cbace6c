import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { createAcmeClient, obtainCertificate } from '../../src/acme-client/index.ts';
import { silentLogger, systemClock } from '../../src/base/index.ts';
import { dnsSolvers } from '../../src/solvers/dns/index.ts';
import { generateKey } from '../../src/x509/index.ts';
import { startVendor, VENDORS, type Vendor } from '../fixtures/dns-vendors/index.ts';
import { intercept } from '../fixtures/dns-vendors/intercept.ts';
import { serveZones } from '../fixtures/dns-vendors/serve-zones.ts';
import { createDns01World } from '../fixtures/dns01.ts';
import { startPebble } from '../fixtures/pebble.ts';
import { needProgram } from '../fixtures/peer.ts';
import { temporaryDirectory } from '../fixtures/temporary.ts';

const run = promisify(execFile);
const ZONES = ['shop.test', 'deep.shop.test'];
const NAMES = ['*.shop.test', 'shop.test', 'a.deep.shop.test'];

/** How lego, a client that others wrote, takes each vendor's credential. Debian's is built without the others. */
const LEGO: Record<string, (fields: Record<string, string>, directory: string) => Record<string, string>> = {
  digitalocean: ({ api_token = '' }) => ({ DO_AUTH_TOKEN: api_token }),
  gcloud: ({ service_account_json = '' }, directory) => {
    const file = join(directory, 'account.json');
    writeFileSync(file, service_account_json);
    return { GCE_SERVICE_ACCOUNT_FILE: file, GCE_PROJECT: 'project-one' };
  },
  ovh: (fields) => ({
    OVH_ENDPOINT: 'ovh-eu',
    OVH_APPLICATION_KEY: fields.application_key!,
    OVH_APPLICATION_SECRET: fields.application_secret!,
    OVH_CONSUMER_KEY: fields.consumer_key!,
  }),
  route53: (fields) => ({
    AWS_ACCESS_KEY_ID: fields.access_key_id!,
    AWS_SECRET_ACCESS_KEY: fields.secret_access_key!,
    AWS_REGION: 'us-east-1',
  }),
};

const leftovers = (vendor: Vendor) => vendor.zones.flatMap(({ records }) => records);

for (const [title, make] of Object.entries(VENDORS)) {
  test(`${title}: a wildcard, its apex and a name in a zone below are certified through Pebble`, async (t) => {
    const vendor = make(ZONES);
    const { endpoint } = await startVendor(t, vendor);
    const nameServer = await serveZones(t, vendor.zones);
    const pebble = await startPebble(t, { dnsServer: nameServer.address });
    if (pebble === undefined) return;
    const world = await createDns01World(t, { resolvers: [nameServer.address], nameServerPort: nameServer.port });
    const fields = vendor.fields(endpoint);
    const credential = await world.credentials.create({ name: title, provider: vendor.provider, zones: [], fields });
    assert.equal(credential.validation, 'valid', credential.validationDetail ?? '');
    assert.match(credential.validationDetail ?? '', /^listed 2 zones; wrote and removed _gatehouse-proof\./);
    const solvers = await dnsSolvers({ ...world, log: silentLogger }, { names: NAMES });
    const client = createAcmeClient({ directory: pebble.directory, caPem: pebble.caPem, clock: systemClock });
    t.after(() => client.close());
    const account = await client.register(await generateKey('ec-p256'), { contact: [] });
    const key = await generateKey('ec-p256');
    const { chain } = await obtainCertificate({ client, account, names: NAMES, solvers, key });
    assert.ok(chain.pem.startsWith('-----BEGIN CERTIFICATE-----'));
    assert.deepEqual(leftovers(vendor), []);
    await world.credentials.remove(credential.id);
    assert.deepEqual(await world.store.db.selectFrom('secret').selectAll().execute(), []);
  });
}

for (const [title, credentials] of Object.entries(LEGO)) {
  test(`${title}: the stand-in is believed by lego, which certifies through it`, async (t) => {
    const lego = needProgram(t, 'lego');
    if (lego === undefined) return;
    const vendor = VENDORS[title as keyof typeof VENDORS](ZONES);
    const { env, calls } = await intercept(t, vendor);
    const nameServer = await serveZones(t, vendor.zones);
    const pebble = await startPebble(t, { dnsServer: nameServer.address });
    if (pebble === undefined) return;
    const directory = temporaryDirectory(t);
    const domains = ['*.shop.test', 'a.deep.shop.test'].flatMap((name) => ['--domains', name]);
    const dns = ['--dns', title, '--dns.resolvers', nameServer.address, '--dns.disable-cp'];
    const common = ['--server', pebble.directory, '--accept-tos', '--email', 'ops@example.org', '--path', directory];
    const secrets = credentials(vendor.fields(`https://${vendor.hosts[0]}${vendor.base}`), directory);
    await run(lego, [...common, ...domains, ...dns, 'run'], {
      env: { PATH: process.env.PATH, LEGO_CA_CERTIFICATES: pebble.caFile, ...env, ...secrets },
      timeout: 120_000,
    });
    assert.ok(existsSync(join(directory, 'certificates', '_.shop.test.crt')));
    assert.ok(calls.length > 0);
    assert.deepEqual(leftovers(vendor), []);
  });
}
