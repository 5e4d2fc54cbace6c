import assert from 'node:assert/strict';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Clock, Fault } from '../../src/base/index.ts';
import { ask } from '../../src/dns/index.ts';
import type { DnsProviderName } from '../../src/solvers/dns/index.ts';
import { openProvider } from '../../src/solvers/dns/open-provider.ts';
import { type DnsProvider, longestZone } from '../../src/solvers/dns/provider.ts';
import { startVendor, VENDORS, type Vendor, valuesAt } from '../fixtures/dns-vendors/index.ts';
import { temporaryDirectory } from '../fixtures/temporary.ts';

const signal = AbortSignal.timeout(60_000);
/** Real time, and nothing to wait for: the stand-ins finish when they are asked again. */
const clock: Clock = { now: () => Date.now(), sleep: async () => {} };
const ZONES = ['example.org', 'sub.example.org', 'other.net'];
const NAME = '_acme-challenge.www.sub.example.org';

const open = (name: DnsProviderName, fields: Record<string, string>, programs = '/nowhere') =>
  openProvider(name, fields, { clock, ask, programs });

async function zoneOf(provider: DnsProvider, name: string) {
  const zone = longestZone(await provider.zones!(signal, name), name);
  assert.ok(zone, `no zone for ${name}`);
  return zone;
}

async function start(t: TestContext, make: (zones: readonly string[]) => Vendor) {
  const vendor = make(ZONES);
  const server = await startVendor(t, vendor);
  const provider = await open(vendor.provider, vendor.fields(server.endpoint));
  return { vendor, server, provider };
}

for (const [title, make] of Object.entries(VENDORS)) {
  test(`${title}: lists its zones, all or the one that is asked for`, async (t) => {
    const { provider } = await start(t, make);
    const names = (await provider.zones!(signal)).map(({ name }) => name);
    assert.deepEqual(names.sort(), [...ZONES].sort());
    assert.equal((await zoneOf(provider, 'sub.example.org')).name, 'sub.example.org');
  });

  test(`${title}: several values at one name are kept apart, and those of others stay`, async (t) => {
    const { vendor, provider } = await start(t, make);
    const zone = await zoneOf(provider, 'sub.example.org');
    const record = (value: string) => ({ name: NAME, value });
    await provider.add(zone, record('of-another-client'), signal);
    const one = await provider.add(zone, record('value-one_A'), signal);
    const two = await provider.add(zone, record('value-two_B'), signal);
    assert.deepEqual(valuesAt(vendor.zones, NAME), ['of-another-client', 'value-one_A', 'value-two_B']);
    await provider.remove(zone, record('value-one_A'), one, signal);
    assert.deepEqual(valuesAt(vendor.zones, NAME), ['of-another-client', 'value-two_B']);
    // As after a crash between the call and its answer: the id is not known.
    await provider.remove(zone, record('value-two_B'), undefined, signal);
    assert.deepEqual(valuesAt(vendor.zones, NAME), ['of-another-client']);
    await provider.remove(zone, record('value-two_B'), two, signal);
    await provider.remove(zone, record('value-two_B'), undefined, signal);
    assert.deepEqual(valuesAt(vendor.zones, NAME), ['of-another-client']);
  });

  test(`${title}: two writers at once lose nothing`, async (t) => {
    const { vendor, server, provider } = await start(t, make);
    const other = await open(vendor.provider, vendor.fields(server.endpoint));
    const zone = await zoneOf(provider, 'other.net');
    const name = '_acme-challenge.other.net';
    const values = ['a1', 'b2', 'c3', 'd4'];
    await Promise.all(
      values.map((value, index) => (index % 2 === 0 ? provider : other).add(zone, { name, value }, signal)),
    );
    assert.deepEqual(valuesAt(vendor.zones, name), values);
  });

  test(`${title}: a credential that is refused is said to be, without its secret`, async (t) => {
    const { vendor, server } = await start(t, make);
    const fields = vendor.wrongFields(server.endpoint);
    const provider = await open(vendor.provider, fields);
    await assert.rejects(provider.zones!(signal), (error: Fault) => {
      assert.equal(error.details.party, 'dns-provider');
      const expected = ['gcloud'].includes(title) ? 'dns_provider_refused' : 'dns_credential_refused';
      assert.equal(error.code, expected, error.message);
      for (const secret of Object.values(fields).filter((value) => value !== server.endpoint))
        assert.ok(!error.message.includes(secret));
      return true;
    });
  });

  test(`${title}: patience that it asks for is kept, and what fails in passing is tried again`, async (t) => {
    const { server, provider } = await start(t, make);
    await provider.zones!(signal);
    server.interrupt.push({ status: 429, headers: { 'retry-after': '30' }, json: { message: 'slow down' } });
    await assert.rejects(provider.zones!(signal), (error: Fault) => {
      assert.equal(error.code, 'dns_provider_limit');
      const { retry } = error.details;
      assert.ok(typeof retry === 'object' && Math.abs(retry.notBefore - Date.now() - 30_000) < 10_000);
      return true;
    });
    server.interrupt.push({ status: 503, text: '<html>busy</html>', type: 'text/html' });
    // A POST may have been carried out, so it is not sent again by itself.
    if (title === 'porkbun') await assert.rejects(provider.zones!(signal), { code: 'dns_provider_broken' });
    else assert.equal((await provider.zones!(signal)).length, ZONES.length);
  });
}

test('ovh: a clock that differs from the API is allowed for', async (t) => {
  const { provider } = await start(t, (zones) => VENDORS.ovh(zones, 3_600));
  assert.equal((await provider.zones!(signal)).length, ZONES.length);
});

test('hetzner: a set that another client made with its own TTL is added to', async (t) => {
  const { vendor, provider } = await start(t, VENDORS.hetzner);
  const zone = vendor.zones.find(({ name }) => name === 'other.net')!;
  const name = '_acme-challenge.other.net';
  zone.records.push({ id: '1', name, type: 'TXT', content: '"theirs"', ttl: 3600 });
  await provider.add(await zoneOf(provider, 'other.net'), { name, value: 'ours' }, signal);
  assert.deepEqual(valuesAt(vendor.zones, name), ['ours', 'theirs']);
});

test('route53: one hosted zone may be named where listing is not allowed', async (t) => {
  const vendor = VENDORS.route53(ZONES);
  const { endpoint, calls } = await startVendor(t, vendor);
  const hosted_zone_id = `Z${vendor.zones[0]!.id}`;
  const provider = await open('route53', { ...vendor.fields(endpoint), hosted_zone_id });
  assert.deepEqual(await provider.zones!(signal), [{ name: ZONES[0], ref: hosted_zone_id }]);
  assert.deepEqual(calls, [`GET /2013-04-01/hostedzone/${hosted_zone_id}`]);
});

interface Received {
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly body: unknown;
}

async function startReceiver(t: TestContext, status = 200): Promise<{ url: string; received: Received[] }> {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    request.on('end', () => {
      received.push({ headers: request.headers, body: JSON.parse(text) });
      response.writeHead(status).end('{}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  return { url: `http://127.0.0.1:${(server.address() as { port: number }).port}`, received };
}

const zone = { name: 'example.org', ref: 'example.org' };
const record = { name: '_acme-challenge.example.org', value: 'v-1' };

test('acme-dns: an update of the one name that it holds, and of no other', async (t) => {
  const { url, received } = await startReceiver(t);
  const fields = {
    endpoint: url,
    username: 'u-1',
    password: 'p-1',
    subdomain: 's-1',
    full_domain: 's-1.auth.example.',
  };
  const provider = await open('acme-dns', fields);
  const [own] = await provider.zones!(signal);
  await provider.add(own!, { name: 's-1.auth.example', value: 'v' }, signal);
  assert.equal(received[0]!.headers['x-api-user'], 'u-1');
  assert.equal(received[0]!.headers['x-api-key'], 'p-1');
  assert.deepEqual(received[0]!.body, { subdomain: 's-1', txt: 'v' });
  await assert.rejects(provider.add(own!, record, signal), (error: Fault) => /CNAME/.test(error.details.advice ?? ''));
});

test('webhook: both actions, with the bearer token in a header alone', async (t) => {
  const { url, received } = await startReceiver(t);
  const provider = await open('webhook', { endpoint: `${url}/dns`, bearer_token: 'hook-secret' });
  await provider.add(zone, record, signal);
  await provider.remove(zone, record, undefined, signal);
  const body = { fqdn: '_acme-challenge.example.org.', zone: 'example.org.', value: 'v-1' };
  assert.deepEqual(
    received.map((one) => one.body),
    [
      { action: 'present', ...body },
      { action: 'cleanup', ...body },
    ],
  );
  assert.equal(received[0]!.headers.authorization, 'Bearer hook-secret');
});

test('exec: runs a program of its directory and no other, and keeps the token out of what it says', async (t) => {
  const programs = temporaryDirectory(t);
  const seen = join(programs, 'seen');
  const script = `#!/bin/sh\necho "$1 $2 $3 $GATEHOUSE_DNS_TOKEN \${HOME:-no-home}" >> ${seen}\n[ "$3" = v-1 ] || { echo "no $GATEHOUSE_DNS_TOKEN" >&2; exit 3; }\n`;
  writeFileSync(join(programs, 'hook'), script);
  chmodSync(join(programs, 'hook'), 0o755);
  const provider = await open('exec', { program: 'hook', token: 'exec-secret' }, programs);
  await provider.add(zone, record, signal);
  await provider.remove(zone, record, undefined, signal);
  assert.deepEqual(readFileSync(seen, 'utf8').trim().split('\n'), [
    'present _acme-challenge.example.org. v-1 exec-secret no-home',
    'cleanup _acme-challenge.example.org. v-1 exec-secret no-home',
  ]);
  await assert.rejects(provider.add(zone, { ...record, value: 'v-2' }, signal), (error: Fault) => {
    assert.equal(error.message, 'hook present failed: no [redacted]');
    return true;
  });
  for (const program of ['../hook', '/bin/sh', 'a b', '-rf'])
    await assert.rejects(
      open('exec', { program }, programs),
      (error: Fault) => error.details.field === 'fields.program',
    );
  const missing = await open('exec', { program: 'nothing' }, programs);
  await assert.rejects(missing.add(zone, record, signal), /there is no nothing in /);
});
