import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { startClientGround, tally } from '../../fixtures/client-ground.ts';
import { recordClient } from '../../fixtures/client-matrix.ts';
import { blocksOf } from '../../fixtures/documents.ts';
import { type KubeApiserver, needKubeApiserver, needKubernetes } from '../../fixtures/kube-apiserver.ts';
import { startPeer } from '../../fixtures/peer.ts';
import { temporaryDirectory } from '../../fixtures/temporary.ts';
import { until } from '../../fixtures/until.ts';
import { blockWith } from '../../fixtures/walkthrough.ts';

const DOCUMENT = 'acme-cert-manager.md';
const CERTIFICATES = '/apis/cert-manager.io/v1/namespaces/default/certificates';

interface Resource {
  readonly metadata: { readonly name: string };
  readonly data?: Record<string, string>;
  readonly status?: { readonly state?: string; readonly reason?: string; readonly conditions?: readonly Condition[] };
}
interface Condition {
  readonly type: string;
  readonly status: string;
  readonly message?: string;
}

async function startCertManager(t: TestContext, program: string, cluster: KubeApiserver): Promise<void> {
  const log = join(temporaryDirectory(t), 'cert-manager.log');
  await startPeer(t, program, [`-kubeconfig=${cluster.kubeconfig}`], {
    log,
    ready: () => readFileSync(log, 'utf8').includes('controllers started'),
  });
}

test(`cert-manager follows ${DOCUMENT}: trusted by its EAB key, it issues, renews, and is refused what the key lacks`, async (t) => {
  const program = needKubernetes(t, 'cert-manager');
  const cluster = program === undefined ? undefined : await needKubeApiserver(t);
  if (program === undefined || cluster === undefined) return;
  assert.equal(blocksOf(`docs/${DOCUMENT}`).length, 5, 'every block of the document is used, here or by its own test');
  const ground = await startClientGround(t, { auth_mode: 'trust_authenticated', eab_required: true });
  const names = { allow: ['*.apps.example.com'] };
  const key = await ground.acme.administration.createEabKey('default', { names }, 'system');
  await cluster.apply('apiVersion: v1\nkind: Namespace\nmetadata:\n  name: cert-manager\n');
  const issuer = blockWith(DOCUMENT, 'yaml', 0, {
    'https://gatehouse.example.com:8441/acme/profile/cluster/directory': ground.directoryUrl,
    CA_BUNDLE: Buffer.from(ground.rootPem).toString('base64'),
    KEY_ID: key.id,
    HMAC_KEY: key.hmac_key,
  });
  await cluster.apply(issuer);
  await startCertManager(t, program, cluster);
  const certificate = blockWith(DOCUMENT, 'yaml', 1, {});
  await cluster.apply(certificate);
  const leaf = async () => {
    const secret = await cluster.call<Resource>('GET', '/api/v1/namespaces/default/secrets/shop-tls');
    return new X509Certificate(Buffer.from(secret.data!['tls.crt']!, 'base64'));
  };
  await until(
    'the certificate is there',
    async () => (await leaf()).checkHost('shop.apps.example.com') !== undefined,
    60_000,
  );
  const first = (await leaf()).serialNumber;
  // What `cmctl renew` does.
  const issued = await cluster.call<Resource>('GET', `${CERTIFICATES}/shop`);
  const issuing = { type: 'Issuing', status: 'True', reason: 'ManuallyTriggered', message: 'renewed by hand' };
  const conditions = [
    ...(issued.status?.conditions ?? []),
    { ...issuing, lastTransitionTime: new Date().toISOString() },
  ];
  await cluster.call('PUT', `${CERTIFICATES}/shop/status`, { ...issued, status: { ...issued.status, conditions } });
  await until('the certificate is renewed', async () => (await leaf()).serialNumber !== first, 60_000);
  assert.equal((await tally(ground)).issued, 2);

  await cluster.apply(certificate.replaceAll('shop', 'else').replaceAll('apps.example.com', 'other.test'));
  const orders = () =>
    cluster.call<{ items: Resource[] }>('GET', '/apis/acme.cert-manager.io/v1/namespaces/default/orders');
  await until(
    'the order says why it was refused',
    async () =>
      (await orders()).items.some((o) => /not among those the external account key/.test(o.status?.reason ?? '')),
    60_000,
  );
  recordClient({
    client: 'cert-manager',
    version: '1.20.3',
    does: ['EAB', 'trust', 'wildcard', 'renew'],
    cannot: ['tls-alpn-01', 'ARI', 'revoke', 'key change'],
  });
});
