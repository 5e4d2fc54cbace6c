// A real API server (kube-apiserver, built from its Go module) with real definitions, and real Traefik reading from it.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { networkInterfaces } from 'node:os';
import { type TestContext, test } from 'node:test';
import { silentLogger, systemClock } from '../../src/base/index.ts';
import {
  createDomainSource,
  createKubeClient,
  createKubernetesPublisher,
  createServedCertificates,
  type KubernetesSettings,
  kubeconfigAccess,
} from '../../src/publish/index.ts';
import { createKubernetesTarget } from '../../src/publish/kubernetes/target.ts';
import { type KubeApiserver, needKubeApiserver } from '../fixtures/kube-apiserver.ts';
import { createPublishedWorld, type PublishedWorld } from '../fixtures/published-world.ts';
import { needTraefik, shownCertificate, startTraefik } from '../fixtures/traefik.ts';
import { until } from '../fixtures/until.ts';

const NAMESPACE = 'paas-apps';
const IN_NAMESPACE = (group: string, plural: string) => `/apis/${group}/namespaces/${NAMESPACE}/${plural}`;

interface Item {
  readonly metadata: {
    name: string;
    resourceVersion: string;
    labels?: Record<string, string>;
    managedFields?: { manager: string; operation: string }[];
  };
  readonly spec?: { routes?: { match: string; services: { name: string }[] }[]; [key: string]: unknown };
  readonly data?: Record<string, string>;
}

const manifest = (file: string) => readFileSync(new URL(`../../deploy/k8s/${file}`, import.meta.url), 'utf8');

const items = async (server: KubeApiserver, path: string) => (await server.call<{ items: Item[] }>('GET', path)).items;

test('a real API server takes what we write', async (t) => {
  const server = await needKubeApiserver(t);
  if (server === undefined) return;
  await t.test('every manifest of deploy/k8s', async () => {
    const files = readdirSync(new URL('../../deploy/k8s/', import.meta.url));
    for (const file of ['namespaces.yaml', ...files]) await server.apply(manifest(file));
    // The rights come again one after another, so that each way is seen to need no more than its own.
    for (const name of ['gatehouse-publisher-secrets', 'gatehouse-publisher-routes'])
      await server.call('DELETE', `/apis/rbac.authorization.k8s.io/v1/namespaces/${NAMESPACE}/rolebindings/${name}`);
  });
  await server.apply(manifest('rbac.yaml'));
  for (const certificates of ['delegated', 'native'] as const)
    for (const routes of ['traefik', 'gateway', 'ingress'] as const)
      await t.test(`${certificates}, ${routes}`, async (t) => {
        // Secrets are not among what the delegated way may touch, and so on.
        if (certificates === 'native') await server.apply(manifest('rbac-native.yaml'));
        if (routes !== 'traefik') await server.apply(manifest('rbac-gateway.yaml'));
        await comesAndGoes(t, server, { certificates, routes });
      });
});

const CARRIERS: Record<
  KubernetesSettings['routes'],
  [group: string, plural: string, written: (host: string) => RegExp]
> = {
  traefik: ['traefik.io/v1alpha1', 'ingressroutes', (host) => new RegExp(`"match":"Host\\(\`${host}\`\\)"`)],
  gateway: ['gateway.networking.k8s.io/v1', 'httproutes', (host) => new RegExp(`"hostnames":\\["${host}"\\]`)],
  ingress: ['networking.k8s.io/v1', 'ingresses', (host) => new RegExp(`"host":"${host}"`)],
};

async function comesAndGoes(
  t: TestContext,
  server: KubeApiserver,
  settings: Pick<KubernetesSettings, 'certificates' | 'routes'>,
) {
  const { certificates, routes: carrier } = settings;
  const [apiGroup, plural, written] = CARRIERS[carrier];
  const world = await createPublishedWorld(t, systemClock);
  const { settled } = publishing(t, server, world, settings);
  const app = await world.app('http://10.1.2.3:3000');
  const certificate = await world.certificate('shop.example.com');
  const domain = await world.domain(app, 'shop.example.com', { certificate_id: certificate });
  await settled();
  const routes = () => items(server, IN_NAMESPACE(apiGroup, plural));
  const [route] = await routes();
  assert.match(JSON.stringify(route?.spec), written('shop.example.com'));
  assert.deepEqual(
    route?.metadata.managedFields?.map(({ manager, operation }) => [manager, operation]),
    [['paas-control-plane', 'Apply']],
  );
  if (certificates === 'delegated') {
    const [cr] = await items(server, IN_NAMESPACE('cert-manager.io/v1', 'certificates'));
    assert.deepEqual(cr?.spec?.dnsNames, ['shop.example.com']);
    assert.match(cr!.metadata.name, /^cert-app-/);
  } else {
    const [secret] = await items(server, `/api/v1/namespaces/${NAMESPACE}/secrets`);
    assert.match(Buffer.from(secret!.data!['tls.crt']!, 'base64').toString(), /BEGIN CERTIFICATE/);
  }
  // Applying what is there already changes nothing, not even a version.
  const before = route!.metadata.resourceVersion;
  const again = createKubernetesTarget(clientOf(t, server), { namespace: NAMESPACE, ...settings });
  await again.inventory();
  assert.notEqual(again.holds(domain), '-');
  assert.equal((await routes())[0]?.metadata.resourceVersion, before);

  await world.setUpstreams(app, 'http://10.1.2.4:3000');
  await settled();
  const slices = await items(server, IN_NAMESPACE('discovery.k8s.io/v1', 'endpointslices'));
  assert.match(JSON.stringify(slices), /10\.1\.2\.4/);
  await world.removeDomain(domain);
  await world.revoke(certificate);
  await settled();
  assert.deepEqual(await routes(), []);
  assert.deepEqual(await items(server, `/api/v1/namespaces/${NAMESPACE}/services`), []);
}

function clientOf(t: TestContext, server: KubeApiserver) {
  const access = kubeconfigAccess(server.kubeconfig);
  // As the service account of deploy/k8s, so that what it grants is enough.
  const client = createKubeClient({ ...access, token: () => server.gatehouseToken });
  t.after(() => client.close());
  return client;
}

function publishing(
  t: TestContext,
  server: KubeApiserver,
  world: PublishedWorld,
  settings: Partial<KubernetesSettings>,
) {
  const publisher = createKubernetesPublisher(
    {
      store: world.store,
      sources: [createDomainSource(world.store.db)],
      certificates: createServedCertificates(world.store.db, world.secrets),
      clock: systemClock,
      log: silentLogger,
      client: clientOf(t, server),
    },
    { namespace: NAMESPACE, certificates: 'delegated', routes: 'traefik', ...settings },
  );
  const abort = new AbortController();
  const running = publisher.run(abort.signal);
  t.after(async () => {
    abort.abort();
    await running;
  });
  const settled = async () => {
    const { seq } = await world.store.db
      .selectFrom('change_log')
      .select((e) => e.fn.max('seq').as('seq'))
      .executeTakeFirstOrThrow();
    await until('published', async () => {
      const { position = 0, pending, lastProblem } = publisher.state();
      if (lastProblem !== undefined) throw new Error(lastProblem.detail);
      return position >= seq && pending === 0;
    });
  };
  return { publisher, settled };
}

test('Traefik serves from the cluster with our certificate, and takes its renewal', async (t) => {
  const program = needTraefik(t);
  if (program === undefined) return;
  const server = await needKubeApiserver(t);
  if (server === undefined) return;
  await server.apply(manifest('rbac.yaml'));
  await server.apply(manifest('rbac-native.yaml'));
  const upstream = createServer((_, response) => response.end('hello'));
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  t.after(() => upstream.close());
  const { port } = upstream.address() as AddressInfo;
  const world = await createPublishedWorld(t, systemClock);
  const { settled } = publishing(t, server, world, { certificates: 'native', redirectPlain: true });
  const app = await world.app(`http://localhost:${port}`);
  const certificate = await world.certificate('shop.example.com');
  await world.domain(app, 'shop.example.com', { certificate_id: certificate });
  await settled();
  const traefik = await startTraefik(t, program, {
    kubernetesCRD: {
      endpoint: server.url,
      token: server.adminToken,
      certAuthFilePath: server.caFile,
      namespaces: [NAMESPACE],
      allowExternalNameServices: true,
      disableClusterScopeResources: true,
      throttleDuration: '100ms',
    },
  });
  const shown = async () =>
    (await shownCertificate(traefik.httpsPort, 'shop.example.com')).fingerprint256.replaceAll(':', '').toLowerCase();
  const wanted = await world.renew(certificate);
  const took = await until('served', async () => (await shown()) === wanted);
  t.diagnostic(`measured: Traefik served a renewed certificate from the cluster ${took.toFixed(0)} ms after its issue`);
  await world.revoke(certificate);
  await until('withdrawn', async () => (await shown()) !== wanted);
});

const CLASSES = `
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: { name: traefik }
spec: { controller: traefik.io/ingress-controller }
---
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: { name: traefik }
spec: { controllerName: traefik.io/gateway-controller }
`;

/** An address of this machine that a cluster takes as an endpoint, which it does not of loopback. */
const outwardAddress = () =>
  Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .find(({ internal, family }) => !internal && family === 'IPv4')?.address;

const PROVIDERS = { gateway: 'kubernetesGateway', ingress: 'kubernetesIngress' } as const;

for (const [routes, provider] of Object.entries(PROVIDERS) as [keyof typeof PROVIDERS, string][])
  test(`Traefik serves ${routes} objects: a page with our certificate, its renewal, and its end`, async (t) => {
    const program = needTraefik(t);
    const address = outwardAddress();
    if (program === undefined) return;
    if (address === undefined) return t.skip('this machine has no address beside loopback');
    const server = await needKubeApiserver(t);
    if (server === undefined) return;
    for (const file of ['rbac.yaml', 'rbac-native.yaml', 'rbac-gateway.yaml']) await server.apply(manifest(file));
    await server.apply(CLASSES);
    const upstream = createServer((incoming, response) => response.end(`page of ${incoming.headers.host}`));
    await new Promise<void>((resolve) => upstream.listen(0, address, resolve));
    t.after(() => upstream.close());
    const cluster = { endpoint: server.url, token: server.adminToken, certAuthFilePath: server.caFile };
    const settings = { ...cluster, namespaces: [NAMESPACE], throttleDuration: '100ms' };
    // As in Traefik's chart: an Ingress itself cannot say that its entry point is for TLS.
    const traefik = await startTraefik(t, program, { [provider]: settings }, { websecure: { http: { tls: {} } } });
    const world = await createPublishedWorld(t, systemClock);
    const gatewayPorts = { https: traefik.httpsPort, http: traefik.httpPort };
    const { settled } = publishing(t, server, world, { certificates: 'native', routes, gatewayPorts });
    const app = await world.app(`http://${address}:${(upstream.address() as AddressInfo).port}`);
    const certificate = await world.certificate('shop.example.com');
    const domain = await world.domain(app, 'shop.example.com', { certificate_id: certificate });
    await settled();
    const shown = async () =>
      (await shownCertificate(traefik.httpsPort, 'shop.example.com')).fingerprint256.replaceAll(':', '').toLowerCase();
    const page = () => pageAt(traefik.httpsPort, 'shop.example.com');
    const took = await until('the page', async () => (await page()) === 'page of shop.example.com');
    t.diagnostic(`measured: ${routes}: the page comes ${took.toFixed(0)} ms after the API server has everything`);
    assert.equal(
      (await shownCertificate(traefik.httpsPort, 'shop.example.com')).subjectaltname,
      'DNS:shop.example.com',
    );
    const wanted = await world.renew(certificate);
    await until('renewed', async () => (await shown()) === wanted);
    await world.removeDomain(domain);
    await settled();
    await until('withdrawn', async () => (await page()) !== 'page of shop.example.com');
  });

/** What a browser that knows the name would get, whoever signed the certificate. */
function pageAt(port: number, host: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, servername: host, headers: { host }, rejectUnauthorized: false };
    request({ ...options, agent: false }, async (response) => {
      resolve(Buffer.concat(await response.toArray()).toString());
    })
      .on('error', reject)
      .end();
  });
}
