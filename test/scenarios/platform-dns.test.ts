// A platform whose own names and customers' names are in real zones: PowerDNS has them, and the CA looks there.
import assert from 'node:assert/strict';
import { request } from 'node:https';
import { test } from 'node:test';
import type { Certificate, DnsCredential, Domain } from '../../src/contract/index.ts';
import { callerOf, type RunningGatehouse, startGatehouse } from '../fixtures/gatehouse.ts';
import { loopbackZone, type PowerDns, startPowerDns } from '../fixtures/name-servers.ts';
import { startPebble } from '../fixtures/pebble.ts';
import { startSampleUpstream } from '../fixtures/sample-upstream.ts';
import { freePort } from '../fixtures/temporary.ts';
import { until } from '../fixtures/until.ts';

const configOf = (dns: PowerDns, ports: { https: number; http: number }, issuer: string) => `
edge: { https_port: ${ports.https}, http_port: ${ports.http}, workers: 1 }
api: { port: 0 }
acme_server: { port: 0 }
agents: { port: 0 }
acme:
  default_issuer: ${issuer}
  dns_resolvers: ['${dns.address}']
  # The zone's servers are not at port 53 here; the CA looks at the record all the same.
  disable_propagation_check: true
domains: { base: apps.test }
`;

/** The names of the certificate and the status of the answer, as a visitor who trusts `ca` gets them. */
function visit({ ready }: RunningGatehouse, host: string, ca: string) {
  const { port } = new URL(ready.edge_https);
  return new Promise<{ status: number; names: string | undefined }>((resolve, reject) => {
    const options = { host: '127.0.0.1', port, servername: host, headers: { host }, ca, agent: false };
    request(options, (response) => {
      const names = (response.socket as import('node:tls').TLSSocket).getPeerX509Certificate()?.subjectAltName;
      response.resume();
      resolve({ status: response.statusCode!, names });
    })
      .on('error', reject)
      .end();
  });
}

test('apps get their own names from one wildcard certificate, proved in the zone of the platform', async (t) => {
  const dns = await startPowerDns(t, { 'apps.test': loopbackZone('apps.test', '* A 127.0.0.1') });
  const pebble = dns && (await startPebble(t, { dnsServer: dns.address }));
  if (dns === undefined || pebble === undefined) return;
  const upstream = await startSampleUpstream(t);
  const ports = { https: pebble.tlsPort, http: pebble.httpPort };
  const gatehouse = await startGatehouse(t, { config: configOf(dns, ports, 'pebble') });
  const call = callerOf(gatehouse);
  await call('POST', '/system/issuers', { id: 'pebble', directory: pebble.directory, ca_certificate: pebble.caPem });
  const credential = await call<DnsCredential>('POST', '/system/acme_dns_credentials', {
    name: 'platform',
    provider: 'powerdns',
    zones: ['apps.test'],
    fields: { endpoint: dns.api, api_key: dns.apiKey },
  });
  assert.equal(credential.validation, 'valid', credential.validation_detail ?? '');
  const root = await pebble.issuingRoot();
  for (const id of ['one', 'two']) await call('POST', '/apps', { id, upstreams: [upstream.url] });
  const domain = (app: string) => call<Domain>('GET', `/apps/${app}/domains/app-${app}.apps.test`);
  for (const app of ['one', 'two'])
    await until(`${app} is issued`, async () => (await domain(app)).tls_status === 'issued');
  const [one, two] = [await domain('one'), await domain('two')];
  assert.equal(one.certificate?.id, two.certificate?.id);
  for (const app of ['one', 'two']) {
    await until(`${app} is served`, async () =>
      visit(gatehouse, `app-${app}.apps.test`, root).then(
        () => true,
        () => false,
      ),
    );
    assert.deepEqual(await visit(gatehouse, `app-${app}.apps.test`, root), { status: 200, names: 'DNS:*.apps.test' });
  }
  // Nothing of the proof is left in the zone.
  const zone = await fetch(`${dns.api}/api/v1/servers/localhost/zones/apps.test.`, {
    headers: { 'x-api-key': dns.apiKey },
  });
  assert.doesNotMatch(await zone.text(), /_acme-challenge|_gatehouse-proof/);
});

test('a customer whose CAA allows one challenge type only gets a certificate by that, at the first try', async (t) => {
  const zone = loopbackZone(
    'shop.test',
    'www CAA 0 issue "ca.test; validationmethods=http-01"\nno CAA 0 issue "other.test"',
  );
  const dns = await startPowerDns(t, { test: loopbackZone('test'), 'shop.test': zone });
  if (dns === undefined) return;
  const ports = { https: await freePort(), http: await freePort() };
  const gatehouse = await startGatehouse(t, { config: configOf(dns, ports, 'strict') });
  const call = callerOf(gatehouse);
  await call('POST', '/system/acme_profiles', {
    id: 'strict',
    auth_mode: 'challenge',
    validation: {
      http_port: ports.http,
      tls_port: ports.https,
      allowed_cidrs: ['127.0.0.0/8'],
      resolvers: [dns.address],
      caa: true,
      caa_identities: ['ca.test'],
    },
    names: { allow: ['*.shop.test'] },
  });
  const { acme_directory, ca_root_file } = gatehouse.ready;
  const directory = acme_directory.replace(/\/acme\/.*$/, '/acme/profile/strict/directory');
  const added = await gatehouse.cli('issuers', 'add', directory, '--id', 'strict', '--ca-file', ca_root_file);
  assert.equal(added.code, 0, added.stderr);
  const certify = async (name: string, done: string) => {
    const { id } = await call<Certificate>('POST', '/system/acme_certificates', { names: [name] });
    await until(done, async () => (await call<Certificate>('GET', `/system/acme_certificates/${id}`)).status === done);
    return call<{ step: string; detail: string }[]>('GET', `/system/acme_certificates/${id}/events`);
  };
  const steps = await certify('www.shop.test', 'valid');
  assert.deepEqual(
    steps.filter(({ step }) => step === 'problem'),
    [],
  );
  assert.match(steps.find(({ step }) => step === 'validation')!.detail, /by http-01/);
  const refused = await certify('no.shop.test', 'failed');
  assert.ok(refused.some(({ detail }) => detail.includes('allows only other.test, and not ca.test')));
  assert.deepEqual(
    refused.filter(({ step }) => step === 'order'),
    [],
  );
  const doctor = await gatehouse.cli('doctor', 'no.shop.test');
  assert.notEqual(doctor.code, 0);
  assert.match(doctor.stdout, /CAA does not let strict issue for no\.shop\.test/);
  assert.match(doctor.stdout, /add: no\.shop\.test\. CAA 0 issue "ca\.test"/);
});
