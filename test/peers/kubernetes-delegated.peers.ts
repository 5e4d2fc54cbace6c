/// <reference lib="dom" />
// The delegated way, whole: `gatehouse up` publishes to a real API server with the rights of deploy/k8s/rbac.yaml,
// cert-manager's own controllers get the certificate from our ACME server, and real Traefik serves it.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { stringify } from 'yaml';
import type { Domain } from '../../src/contract/index.ts';
import { accessibilityFindings, startBrowser } from '../fixtures/browser.ts';
import { goTo, signedIn } from '../fixtures/console.ts';
import { callerOf, type RunningGatehouse, startGatehouse } from '../fixtures/gatehouse.ts';
import { type KubeApiserver, needKubeApiserver, needKubernetes, writeKubeconfig } from '../fixtures/kube-apiserver.ts';
import { startPeer } from '../fixtures/peer.ts';
import { startSampleUpstream } from '../fixtures/sample-upstream.ts';
import { temporaryDirectory } from '../fixtures/temporary.ts';
import { needTraefik, shownCertificate, startTraefik } from '../fixtures/traefik.ts';
import { until } from '../fixtures/until.ts';

const NAMESPACE = 'paas-apps';
const NAME = 'blog.shops.example';
const REFUSED = 'refused.shops.example';

/** `gatehouse up` with the service account's rights. */
async function gatehouseIn(t: TestContext, cluster: KubeApiserver): Promise<RunningGatehouse> {
  const kubeconfig = join(temporaryDirectory(t), 'kubeconfig');
  writeKubeconfig(kubeconfig, cluster, cluster.gatehouseToken);
  return startGatehouse(t, {
    config: stringify({
      edge: { https_port: 0, http_port: 0, workers: 1 },
      api: { port: 0 },
      acme_server: { port: 0 },
      agents: { port: 0 },
      publish: { kubernetes: { kubeconfig, namespace: NAMESPACE, certificates: 'delegated' } },
    }),
  });
}

/** The ClusterIssuer that domains name by default, with our own server as the authority. */
const issuerOf = ({ ready }: RunningGatehouse) =>
  stringify({
    apiVersion: 'cert-manager.io/v1',
    kind: 'ClusterIssuer',
    metadata: { name: 'letsencrypt-prod' },
    spec: {
      acme: {
        server: ready.acme_directory.replace(/\/acme\/.*$/, '/acme/profile/cluster/directory'),
        caBundle: readFileSync(ready.ca_root_file).toString('base64'),
        privateKeySecretRef: { name: 'letsencrypt-prod' },
        solvers: [{ http01: { ingress: { ingressClassName: 'traefik' } } }],
      },
    },
  });

interface Owned {
  readonly metadata: {
    readonly name: string;
    readonly uid: string;
    readonly ownerReferences?: readonly { uid: string }[];
  };
}

/** What the garbage collector of a whole cluster does: what came of a Certificate that is gone goes too. */
async function collectGarbage(cluster: KubeApiserver): Promise<void> {
  const pathOf = (kind: string) => `/apis/${kind.replace('/', `/v1/namespaces/${NAMESPACE}/`)}`;
  const all = async (kind: string) => (await cluster.call<{ items: Owned[] }>('GET', pathOf(kind))).items;
  const generations = [
    'cert-manager.io/certificates',
    'cert-manager.io/certificaterequests',
    'acme.cert-manager.io/orders',
  ];
  for (const [i, kind] of generations.entries()) {
    if (i === 0) continue;
    const owners = new Set((await all(generations[i - 1]!)).map(({ metadata }) => metadata.uid));
    for (const { metadata } of await all(kind))
      if (metadata.ownerReferences?.some(({ uid }) => !owners.has(uid)))
        await cluster.call('DELETE', `${pathOf(kind)}/${metadata.name}`);
  }
}

test('delegated: cert-manager gets the certificate, its status is the domain’s, and Traefik serves it', async (t) => {
  const traefikProgram = needTraefik(t);
  const certManager = traefikProgram && needKubernetes(t, 'cert-manager');
  if (traefikProgram === undefined || certManager === undefined) return;
  const upstream = await startSampleUpstream(t);
  const cluster = await needKubeApiserver(t);
  if (cluster === undefined) return;
  await cluster.apply(readFileSync(new URL('../../deploy/k8s/rbac.yaml', import.meta.url), 'utf8'));
  const gatehouse = await gatehouseIn(t, cluster);
  const call = callerOf(gatehouse);
  const profile = { auth_mode: 'trust_authenticated', trust_without_eab: true };
  const names = { allow: ['*.shops.example'], deny: [REFUSED] };
  await call('POST', '/system/acme_profiles', { id: 'cluster', ...profile, names });
  await cluster.apply(issuerOf(gatehouse));
  const log = join(temporaryDirectory(t), 'cert-manager.log');
  const certManagerPeer = await startPeer(t, certManager, [`-kubeconfig=${cluster.kubeconfig}`], {
    log,
    ready: async () => readFileSync(log, 'utf8').includes('controllers started'),
  });
  await call('POST', '/apps', { id: 'blog', upstreams: [`http://localhost:${upstream.port}`] });
  const domain = (name: string) => call<Domain>('GET', `/apps/blog/domains/${name}`);
  const add = (name: string) => call<Domain>('POST', '/apps/blog/domains', { domain: name });
  const reaches = (name: string, status: Domain['tls_status']) =>
    until(`${name} is ${status}`, async () => (await domain(name)).tls_status === status);

  const { tls_status, certificate } = await add(NAME);
  assert.deepEqual([tls_status, certificate], ['pending', null]);
  const took = await reaches(NAME, 'issued');
  t.diagnostic(`measured: issued by cert-manager ${took.toFixed(0)} ms after POST /domains`);
  const issued = await domain(NAME);
  assert.equal(issued.cluster_certificate?.name, 'cert-blog-blog-shops-example');
  assert.ok(issued.cluster_certificate.not_after);
  assert.equal(issued.claim.proof, 'certificate');

  const traefik = await startTraefik(t, traefikProgram, {
    kubernetesCRD: {
      endpoint: cluster.url,
      token: cluster.adminToken,
      certAuthFilePath: cluster.caFile,
      namespaces: [NAMESPACE],
      allowExternalNameServices: true,
      disableClusterScopeResources: true,
      throttleDuration: '100ms',
    },
  });
  await until('served', async () => (await shownCertificate(traefik.httpsPort, NAME)).subjectaltname === `DNS:${NAME}`);

  await t.test('renewing, while cert-manager replaces it', async () => {
    // cert-manager stands still meanwhile, so that nobody has to be quick.
    certManagerPeer.process.kill('SIGSTOP');
    const path = `/apis/cert-manager.io/v1/namespaces/${NAMESPACE}/certificates/cert-blog-blog-shops-example`;
    const current = await cluster.call<{ status: { revision: number; conditions: object[] } }>('GET', path);
    // What `cmctl renew` does.
    const issuing = {
      type: 'Issuing',
      status: 'True',
      reason: 'ManuallyTriggered',
      message: 'asked for by hand',
      lastTransitionTime: new Date().toISOString().replace(/\.\d+/, ''),
    };
    const conditions = [...current.status.conditions, issuing];
    await cluster.call('PUT', `${path}/status`, { ...current, status: { ...current.status, conditions } });
    await reaches(NAME, 'renewing');
    const listed = await call<Domain[]>('GET', '/domains?tls_status=renewing');
    assert.deepEqual(
      listed.map((one) => one.domain),
      [NAME],
    );
    certManagerPeer.process.kill('SIGCONT');
    await until('another revision', async () => {
      const { status } = await cluster.call<{ status: { revision: number } }>('GET', path);
      return status.revision > current.status.revision;
    });
    await reaches(NAME, 'issued');
  });

  await t.test('the console shows what cert-manager says', async (t) => {
    const browser = await startBrowser(t);
    if (browser === undefined) return;
    const page = await signedIn(t, browser, gatehouse);
    await goTo(page, gatehouse, `/app/domains/blog/${NAME}`, NAME);
    await page.getByText('paas-apps/cert-blog-blog-shops-example').waitFor();
    for (const colorScheme of ['light', 'dark'] as const)
      for (const width of [360, 1280]) {
        await page.emulateMedia({ colorScheme });
        await page.setViewportSize({ width, height: 900 });
        const wide = () => document.documentElement.scrollWidth - document.documentElement.clientWidth;
        assert.ok((await page.evaluate(wide)) <= 0, `too wide at ${width}`);
        assert.deepEqual(await accessibilityFindings(page), [], `${colorScheme} at ${width}`);
        if (process.env.GATEHOUSE_PICTURES !== undefined)
          await page.screenshot({ path: join(process.env.GATEHOUSE_PICTURES, `cluster-${colorScheme}-${width}.png`) });
      }
  });

  await t.test('what the authority refuses is the domain’s problem, and verify begins anew', async () => {
    await add(REFUSED);
    await until('failed, with its cause', async () => {
      const { tls_status, why } = await domain(REFUSED);
      return tls_status === 'failed' && why.problem?.type.endsWith('rejectedIdentifier') === true;
    });
    const { why, troubleshooting, cluster_certificate } = await domain(REFUSED);
    assert.match(why.summary, /cert-manager could not get its certificate/);
    assert.equal(why.problem?.failed_party, 'cluster');
    assert.ok(cluster_certificate!.problems.length > 0);
    assert.match(
      troubleshooting[0]!.recovery,
      /kubectl describe certificate -n paas-apps cert-blog-refused-shops-example/,
    );
    await call('PATCH', '/system/acme_profiles/cluster', { names: { ...names, deny: [] } });
    await call('POST', `/apps/blog/domains/${REFUSED}/verify`);
    await collectGarbage(cluster);
    await reaches(REFUSED, 'issued');
  });

  await t.test('a removed domain leaves no Certificate and no route', async () => {
    await call('DELETE', `/apps/blog/domains/${NAME}`);
    const path = (group: string, plural: string) => `/apis/${group}/namespaces/${NAMESPACE}/${plural}`;
    await until('withdrawn', async () => {
      const certificates = await cluster.call<object>('GET', path('cert-manager.io/v1', 'certificates'));
      const routes = await cluster.call<object>('GET', path('traefik.io/v1alpha1', 'ingressroutes'));
      return !JSON.stringify([certificates, routes]).includes(NAME);
    });
  });
});
