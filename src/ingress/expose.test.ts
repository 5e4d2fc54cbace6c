import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createIngressWorld, exposeInput } from '../../test/fixtures/ingress.ts';
import { Fault } from '../base/index.ts';
import { exposeKind } from './expose.ts';

async function problemsOf(promise: Promise<unknown>): Promise<Record<string, string>> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason) => reason,
  );
  assert.ok(error instanceof Fault, 'a Fault was expected');
  return Object.fromEntries((error.details.problems ?? []).map(({ field, detail }) => [field, detail]));
}

test('the plan of seed b: virtual IP, port mapping, certificate, proxy, probe', async (t) => {
  const world = await createIngressWorld(t, { proxy: true });
  const plan = await exposeKind(world.deps).plan(exposeInput(world));
  assert.equal(plan.title, 'Make metrics.example.com reachable from the internet over https');
  assert.deepEqual(
    plan.steps.map(({ step, action, detail }) => `${step} ${action}: ${detail}`),
    [
      'virtual_ip create: virtual IP expose-metrics.example.com at fd42::10, held by metrics',
      'port_mapping create: forward 443/tcp on edge-1 to the proxy on proxy-1, port 8443',
      'certificate create: letsencrypt-staging certificate for metrics.example.com by dns-01',
      'proxy compose: route metrics.example.com to its virtual IP, port 8080, and serve the certificate',
      'probe check: look at the served certificate and the route',
    ],
  );
  assert.deepEqual(plan.warnings, ['letsencrypt-staging is for trying: its root is not trusted, and browsers warn']);
  assert.deepEqual(
    await exposeKind(world.deps).plan(plan.inputs),
    plan,
    'planning from its own inputs changes nothing',
  );
});

test('http needs no certificate and no proxy', async (t) => {
  const world = await createIngressWorld(t);
  const { tls_issuer: _issuer, dns_credential_id: _credential, ...rest } = exposeInput(world);
  const plan = await exposeKind(world.deps).plan({
    ...rest,
    service_protocol: 'http',
    vip_cidr: 'fd42::10/128, 10.42.0.10/32',
  });
  assert.deepEqual(
    plan.steps.map(({ step }) => step),
    ['virtual_ip', 'port_mapping', 'probe'],
  );
  assert.match(plan.steps[1]!.detail, /forward 80\/tcp on edge-1 to the service's virtual IP, port 8080/);
});

test('a service that ends TLS itself gets no certificate, and needs no credential for one', async (t) => {
  const world = await createIngressWorld(t, { proxy: true });
  const change = { termination: 'backend', dns_credential_id: undefined, vip_cidr: 'fd42::10/128, 10.42.0.10/32' };
  const plan = await exposeKind(world.deps).plan(exposeInput(world, change));
  assert.deepEqual(
    plan.steps.map(({ step }) => step),
    ['virtual_ip', 'port_mapping', 'proxy', 'probe'],
  );
  assert.match(plan.steps[2]!.detail, /passing TLS through by server name; no certificate is got/);
  assert.deepEqual(plan.warnings, [
    'the service ends TLS itself, so no certificate is got here: it needs its own for metrics.example.com',
  ]);
  assert.deepEqual([plan.resolved.issuer, plan.inputs.tls_issuer], [null, undefined]);
});

test('a certificate that carries the name, or a wildcard for it, is used again', async (t) => {
  const world = await createIngressWorld(t, { proxy: true });
  const { certificates, clock } = world;
  const issuers = ['letsencrypt-staging'];
  const certificateStep = async (host: string) => {
    const plan = await exposeKind(world.deps).plan(exposeInput(world, { service_hostname: host }));
    return `${plan.steps[2]!.action}: ${plan.steps[2]!.detail}`;
  };
  await certificates.port.ensure({ names: ['a.example.com', 'b.example.com'], issuers, reference: 'person:1' });
  await certificates.port.ensure({ names: ['*.deep.example.com'], issuers, reference: 'person:1' });
  const until = new Date(clock.now() + 90 * 86_400_000).toISOString().slice(0, 10);
  const reuse = (names: string) => `reuse: letsencrypt-staging certificate for ${names}, good until ${until}`;
  assert.equal(await certificateStep('b.example.com'), reuse('a.example.com, b.example.com'));
  assert.equal(await certificateStep('x.deep.example.com'), reuse('*.deep.example.com'));
  assert.match(await certificateStep('x.y.deep.example.com'), /^create: /, 'a wildcard is for one label');
  await clock.advance(91 * 86_400_000);
  assert.match(await certificateStep('b.example.com'), /^create: /, 'one that has ended is none');
});

test('every input is checked at once, before anything is made', async (t) => {
  const world = await createIngressWorld(t);
  assert.deepEqual(await problemsOf(exposeKind(world.deps).plan({})), {
    service_hostname: 'service_hostname is required',
    service_protocol: 'service_protocol is required',
    sdwan_network_id: 'sdwan_network_id is required',
    sdwan_hub_peer_id: 'sdwan_hub_peer_id is required',
    vip_cidr: 'vip_cidr is required',
    backend_port: 'backend_port is required',
    target_peer_id: 'exactly one of target_peer_id and target_instance_id is required; neither was given',
  });
  const wrong = exposeInput(world, {
    service_hostname: 'metrics_1.example.com',
    service_protocol: 'ftp',
    backend_port: 70_000,
    vip_cidr: 'fd42::/64',
    tls_issuer: 'nobody',
    target_instance_id: world.ids.instance,
    dns_credential_id: undefined,
    colour: 'red',
  });
  const found = await problemsOf(exposeKind(world.deps).plan(wrong));
  assert.match(found.service_hostname!, /is not a host name/);
  assert.equal(found.service_protocol, '"ftp" is not one of http, https');
  assert.equal(found.backend_port, '70000 is not a port (1 to 65535)');
  assert.equal(found.vip_cidr, 'fd42::/64 is not a host CIDR: give a /128 within fd42::/64');
  assert.equal(
    found.target_peer_id,
    'exactly one of target_peer_id and target_instance_id is required; both were given',
  );
  assert.match(found.colour!, /there is no input "colour"/);
});

test('what the inputs refer to must be there, and fit', async (t) => {
  const world = await createIngressWorld(t);
  const plan = (change: object) => problemsOf(exposeKind(world.deps).plan(exposeInput(world, { ...change })));
  assert.deepEqual(await plan({ sdwan_network_id: 'net_x' }), { sdwan_network_id: 'there is no network net_x' });
  assert.deepEqual(await plan({ sdwan_hub_peer_id: world.ids.backend }), {
    sdwan_hub_peer_id: 'metrics is not publicly reachable, so it cannot terminate a public port',
  });
  assert.deepEqual(await plan({ tls_issuer: 'zero' }), {
    tls_issuer: 'there is no issuer zero; there are internal-ca, letsencrypt-staging, letsencrypt-prod',
  });
  assert.deepEqual(await plan({ dns_credential_id: undefined }), {
    dns_credential_id: 'dns_credential_id is required for https with dns-01',
  });
  assert.deepEqual(await plan({ dns_credential_id: 'nope' }), {
    dns_credential_id: 'there is no DNS credential nope; there are example zone',
  });
  assert.match((await plan({ service_hostname: 'a.example.net' })).dns_credential_id!, /is for example\.com/);
  assert.match((await plan({ vip_cidr: 'fd43::1/128' })).vip_cidr!, /fd43::1 is not in fd42::\/64/);
  assert.match((await plan({ vip_cidr: 'fd42::2/128' })).vip_cidr!, /fd42::2 belongs to metrics/);
  world.credentials[0] = { ...world.credentials[0]!, validation: 'failed', validationDetail: 'no zone write scope' };
  assert.match((await plan({})).dns_credential_id!, /failed its last test: no zone write scope/);
});

test('an instance stands for its peer in the network', async (t) => {
  const world = await createIngressWorld(t);
  const { createInstances } = await import('../network/index.ts');
  const stray = await createInstances(world.deps).create({ name: 'stray' });
  const byInstance = (id: string) =>
    exposeKind(world.deps).plan(exposeInput(world, { target_peer_id: undefined, target_instance_id: id }));
  assert.equal((await byInstance(world.ids.instance)).resolved.holder_peer_id, world.ids.backend);
  const error: unknown = await byInstance(stray.id).catch((reason: unknown) => reason);
  assert.ok(error instanceof Fault);
  assert.equal(error.details.field, 'target_instance_id');
  assert.equal(error.details.advice, 'attach the instance to the network first or pass target_peer_id');
});

test('every challenge type of the engine is taken; those in DNS need a credential', async (t) => {
  const world = await createIngressWorld(t);
  for (const challenge_type of ['dns-account-01', 'dns-persist-01']) {
    const plan = await exposeKind(world.deps).plan(exposeInput(world, { challenge_type }));
    assert.equal(plan.resolved.challenge, challenge_type);
    const without = exposeKind(world.deps).plan(exposeInput(world, { challenge_type, dns_credential_id: undefined }));
    await assert.rejects(without, new RegExp(`dns_credential_id is required for https with ${challenge_type}`));
  }
  await assert.rejects(
    exposeKind(world.deps).plan(exposeInput(world, { challenge_type: 'dns-02' })),
    /is not one of dns-01, /,
  );
});

test('our own authority needs no credential; what the internet lacks is said', async (t) => {
  const world = await createIngressWorld(t);
  world.dns = { addresses: [] };
  const plan = await exposeKind(world.deps).plan(
    exposeInput(world, { tls_issuer: 'internal-ca', dns_credential_id: undefined }),
  );
  assert.equal(plan.resolved.challenge, null);
  assert.deepEqual(plan.warnings, [
    'no peer of prod is marked as running the proxy, so the hub edge-1 is taken to run it at port 8443',
    'metrics.example.com has no public A or AAAA record: make a record metrics.example.com A 8.8.4.4 or AAAA 2600::1',
  ]);
  world.dns = { addresses: [], problem: 'nobody answers' };
  const here = await exposeKind(world.deps).plan(
    exposeInput(world, {
      service_hostname: 'metrics.localhost',
      tls_issuer: 'internal-ca',
      dns_credential_id: undefined,
    }),
  );
  assert.deepEqual(here.warnings, plan.warnings.slice(0, 1), 'a name of this machine needs no record');
});
