import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { publisherContract } from '../../../test/contract/publishers.ts';
import { type KubeApi, startKubeApi } from '../../../test/fixtures/kube-api.ts';
import { Fault } from '../../base/index.ts';
import type { RouteGroup } from '../route-group.ts';
import { createKubeClient } from './client.ts';
import type { KubernetesSettings } from './settings.ts';
import { createKubernetesTarget } from './target.ts';

const NAMESPACE = 'paas-apps';

async function opened(t: TestContext, settings: Partial<KubernetesSettings> = {}) {
  const api = await startKubeApi(t);
  const client = createKubeClient({ server: api.url });
  t.after(() => client.close());
  const open = () =>
    createKubernetesTarget(client, { namespace: NAMESPACE, certificates: 'delegated', routes: 'traefik', ...settings });
  return { api, client, open };
}

const of = (api: KubeApi, plural: string) =>
  [...api.objects].filter(([key]) => key.startsWith(`${plural}/`)).map(([, object]) => object);

interface Backend {
  readonly name: string;
}
type Spec = Record<string, never> & {
  routes: { match: string; services: Backend[] }[];
  hostnames: string[];
  rules: {
    host: string;
    backendRefs?: Backend[];
    http: { paths: { backend: { service: Backend } }[] };
    filters?: object[];
  }[];
};

/** Kind that carries routes -> host of an object, its backend, and what says where it is sent on to. */
const CARRIERS: Record<
  KubernetesSettings['routes'],
  [
    plural: string,
    read: (spec: Spec, api: KubeApi, name: string) => [host: string, backend?: string, redirect?: object],
  ]
> = {
  traefik: [
    'ingressroutes',
    ({ routes: [rule] }, api, name) => [
      /`([^`]+)`/.exec(rule!.match)![1]!,
      rule!.services[0]?.name,
      api.objects.get(`middlewares/${name}-redirect`)?.spec as object | undefined,
    ],
  ],
  gateway: [
    'httproutes',
    ({ hostnames: [host], rules: [rule] }) => [host!, rule!.backendRefs?.[0]?.name, rule!.filters],
  ],
  ingress: ['ingresses', ({ rules: [rule] }) => [rule!.host, rule!.http.paths[0]!.backend.service.name]],
};

for (const certificates of ['delegated', 'native'] as const)
  for (const [routes, [plural, read]] of Object.entries(CARRIERS) as [
    KubernetesSettings['routes'],
    (typeof CARRIERS)['traefik'],
  ][])
    publisherContract(`kubernetes, ${certificates}, ${routes}`, async (t) => {
      const { api, open } = await opened(t, { certificates, routes });
      return {
        open,
        redirects: routes !== 'ingress',
        routes: () =>
          new Map(
            of(api, plural).map((object) => {
              const [host, backend, redirect] = read(object.spec as Spec, api, object.metadata.name);
              const slice = api.objects.get(`endpointslices/${backend}`);
              const [endpoint] = (slice?.endpoints as { addresses: string[] }[] | undefined) ?? [];
              const [port] = (slice?.ports as { port: number }[] | undefined) ?? [];
              const address = endpoint && `${endpoint.addresses[0]}:${port?.port}`;
              return [host, address ?? JSON.stringify(redirect).replaceAll('\\', '')];
            }),
          ),
        ...(certificates === 'native' && {
          certificates: () =>
            new Map(
              of(api, 'secrets').map((object) => [
                String(object.metadata.labels?.['gatehouse.internal/item']),
                Buffer.from((object.data as Record<string, string>)['tls.crt']!, 'base64').toString(),
              ]),
            ),
        }),
        writes: () => api.writes(),
      };
    });

const group = (id: string, host: string, appId = 'app-123'): RouteGroup => ({
  id,
  host,
  origin: { kind: 'domain', appId, appName: 'blog' },
  routes: [{ id, host, path: '/', upstreams: [{ url: 'http://web.paas-apps.svc:8080' }] }],
});
const deliver = (target: ReturnType<typeof createKubernetesTarget>, ...groups: RouteGroup[]) =>
  target.deliver({ groups, certificates: [], gone: [] });

test('a domain becomes the Certificate and IngressRoute of the naming convention, owned by paas-control-plane', async (t) => {
  const { api, open } = await opened(t);
  const target = open();
  await target.inventory();
  assert.equal((await deliver(target, group('dom_1', 'blog.example.com'))).size, 0);
  const certificate = api.objects.get('certificates/cert-app-123-blog-example-com');
  assert.deepEqual(certificate?.spec, {
    secretName: 'tls-app-123-blog-example-com',
    issuerRef: { name: 'letsencrypt-prod', kind: 'ClusterIssuer' },
    dnsNames: ['blog.example.com'],
  });
  assert.deepEqual(certificate?.metadata.managedFields, [{ manager: 'paas-control-plane', operation: 'Apply' }]);
  const route = api.objects.get('ingressroutes/route-app-123-blog-example-com');
  assert.deepEqual(route?.spec, {
    entryPoints: ['websecure'],
    routes: [
      {
        kind: 'Rule',
        match: 'Host(`blog.example.com`)',
        priority: 20_001,
        services: [{ name: 'web', port: 8080, passHostHeader: true }],
      },
    ],
    tls: { secretName: 'tls-app-123-blog-example-com' },
  });
});

test('two domains whose names come to the same, and one that is too long, get names of their own', async (t) => {
  const { api, open } = await opened(t);
  const target = open();
  await target.inventory();
  const long = `${'a'.repeat(60)}.example.com`;
  await deliver(target, group('dom_1', 'a-b.example.com'), group('dom_2', 'a.b.example.com'), group('dom_3', long));
  const byHost = () =>
    new Map(
      of(api, 'certificates').map(({ metadata, spec }) => [
        (spec as { dnsNames: string[] }).dnsNames[0],
        metadata.name,
      ]),
    );
  assert.equal(byHost().get('a-b.example.com'), 'cert-app-123-a-b-example-com');
  assert.match(byHost().get('a.b.example.com')!, /^cert-app-123-a-b-example-com-[0-9a-f]{8}$/);
  assert.match(byHost().get(long)!, /^cert-app-123-a{30,}-[0-9a-f]{8}$/);
  // A restart reads back who has which name, so nothing moves.
  const before = new Map(byHost());
  const again = open();
  await again.inventory();
  await deliver(again, { ...group('dom_2', 'a.b.example.com'), issuer: 'letsencrypt-staging' });
  assert.deepEqual(byHost(), before);
});

test('names that a person added to a Certificate stay, and what somebody else made is left alone', async (t) => {
  const { api, open } = await opened(t);
  const target = open();
  await target.inventory();
  await deliver(target, group('dom_1', 'blog.example.com'));
  const name = 'cert-app-123-blog-example-com';
  const { spec } = api.objects.get(`certificates/${name}`) as unknown as { spec: object };
  api.put('certificates', {
    apiVersion: 'cert-manager.io/v1',
    kind: 'Certificate',
    metadata: { name },
    spec: { ...spec, dnsNames: ['blog.example.com', 'www.example.com'] },
  });
  await deliver(target, { ...group('dom_1', 'blog.example.com'), issuer: 'letsencrypt-staging' });
  const merged = api.objects.get(`certificates/${name}`)?.spec as { dnsNames: string[]; issuerRef: { name: string } };
  assert.deepEqual(
    [merged.dnsNames, merged.issuerRef.name],
    [['blog.example.com', 'www.example.com'], 'letsencrypt-staging'],
  );

  api.put('ingressroutes', {
    apiVersion: 'traefik.io/v1alpha1',
    kind: 'IngressRoute',
    metadata: { name: 'route-app-123-taken-example-com' },
    spec: { routes: [] },
  });
  const refused = await deliver(target, group('dom_2', 'taken.example.com'));
  assert.equal(refused.get('dom_2')?.code, 'cluster_object_not_ours');
  assert.deepEqual(api.objects.get('ingressroutes/route-app-123-taken-example-com')?.spec, { routes: [] });
});

test('what the server refuses is told, and does not hold up the others', async (t) => {
  const { api, open } = await opened(t, { routes: 'gateway' });
  api.uninstall('httproutes');
  const target = open();
  await assert.rejects(
    target.inventory(),
    (error: unknown) => error instanceof Fault && error.code === 'cluster_lacks_kind',
  );
  assert.equal(api.writes(), 0);
  const nobody = createKubernetesTarget(createKubeClient({ server: 'http://127.0.0.1:1' }), {
    namespace: NAMESPACE,
    certificates: 'native',
    routes: 'traefik',
  });
  await assert.rejects(nobody.inventory(), /could not be reached/);
});

test('every kind of route fits the definitions', async (t) => {
  const { api, open } = await opened(t, {
    certificates: 'native',
    clientCaSecret: 'client-ca',
    redirectPlain: true,
    challengeService: { name: 'gatehouse', port: 8080 },
  });
  const target = open();
  await target.inventory();
  const base = group('dom_1', 'all.example.com');
  const everything: RouteGroup = {
    ...base,
    certificateId: 'cert_1',
    routes: [
      {
        id: 'dom_1',
        host: base.host,
        path: '/api',
        upstreams: [
          { url: 'https://10.0.0.1:8443', weight: 3, tls: { serverName: 'api.internal', ca: 'PEM', http2: false } },
          { url: 'https://[fd00::1]', weight: 1, tls: { serverName: 'api.internal', ca: 'PEM', http2: false } },
          {
            url: 'https://legacy.example.net',
            weight: 0,
            tls: { serverName: 'api.internal', ca: 'PEM', http2: false },
          },
        ],
        balance: 'least-connections',
        timeouts: { connectMs: 1000, requestMs: 30_000 },
        limits: { bodyBytes: 1000, concurrency: { active: 10 } },
        request: { stripPrefix: true, headers: { set: { 'x-a': '1' } } },
        response: { hsts: { maxAgeSeconds: 300 } },
        clientCertificate: 'required',
        plain: 'serve',
      },
      { id: 'dom_1/1', host: base.host, path: '/old', upstreams: [], redirect: { to: 'https://new.example.com' } },
    ],
  };
  const through: RouteGroup = {
    ...group('dom_2', 'db.example.com'),
    routes: [
      {
        id: 'dom_2',
        host: 'db.example.com',
        path: '/',
        upstreams: [{ url: 'https://10.0.0.1', proxyProtocol: 'v2' }],
        tls: 'passthrough',
      },
    ],
  };
  assert.deepEqual([...(await deliver(target, everything, through))], []);
  assert.equal(target.holds('dom_1') !== undefined && target.holds('dom_1') !== '-', true);
  assert.deepEqual(
    of(api, 'ingressroutes')
      .map(({ metadata }) => metadata.name)
      .sort(),
    [
      'gatehouse-acme-challenge',
      'gatehouse-to-https',
      'route-app-123-all-example-com',
      'route-app-123-all-example-com-plain',
    ],
  );
});
