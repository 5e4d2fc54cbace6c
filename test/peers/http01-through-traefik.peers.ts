// Our engine gets a certificate by http-01 although Traefik holds port 80: the challenge comes back through a route that
// we publish, above a redirect of everything to https, from files and from a real API server.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { stringify } from 'yaml';
import type { CertificateEvent, Domain } from '../../src/contract/index.ts';
import { callerOf, startGatehouse } from '../fixtures/gatehouse.ts';
import { needKubeApiserver, writeKubeconfig } from '../fixtures/kube-apiserver.ts';
import { startSampleUpstream } from '../fixtures/sample-upstream.ts';
import { freePort, temporaryDirectory } from '../fixtures/temporary.ts';
import { needTraefik, shownCertificate, startTraefik } from '../fixtures/traefik.ts';
import { until } from '../fixtures/until.ts';

const NAME = 'through.localhost';

async function comesThrough(
  t: TestContext,
  traefikProgram: string,
  { publish, providers, challengePort }: { publish: object; providers: object; challengePort: number },
): Promise<void> {
  const upstream = await startSampleUpstream(t);
  const gatehouse = await startGatehouse(t, {
    config: stringify({
      edge: { https_port: 0, http_port: challengePort, workers: 1 },
      api: { port: 0 },
      acme_server: { port: 0 },
      agents: { port: 0 },
      publish,
    }),
  });
  const call = callerOf(gatehouse);
  const traefik = await startTraefik(t, traefikProgram, providers);
  await until('the way for challenges is read', async () => {
    const routers = Object.values((await traefik.rawData()).routers ?? {});
    return routers.some(({ rule, status }) => rule.includes('acme-challenge') && status === 'enabled');
  });
  // A CA that looks at Traefik's port, and at no other.
  await call('POST', '/system/acme_profiles', {
    id: 'outside',
    auth_mode: 'challenge',
    validation: {
      http_port: traefik.httpPort,
      tls_port: 1,
      allowed_cidrs: ['127.0.0.0/8', '::1/128'],
      challenges: ['http-01'],
    },
  });
  await call('POST', '/system/issuers', {
    id: 'outside',
    directory: gatehouse.ready.acme_directory.replace(/\/acme\/.*$/, '/acme/profile/outside/directory'),
    ca_certificate: readFileSync(gatehouse.ready.ca_root_file, 'utf8'),
  });
  await call('POST', '/apps', { id: 'shop', upstreams: [`http://localhost:${upstream.port}`] });
  await call('POST', '/apps/shop/domains', { domain: NAME, issuers: ['outside'] });
  let domain: Domain | undefined;
  await until('issued', async () => {
    domain = await call<Domain>('GET', `/apps/shop/domains/${NAME}`);
    return domain.tls_status === 'issued';
  }).catch((error: Error) => assert.fail(`${error.message}: ${JSON.stringify(domain?.why)}`));
  const events = await call<CertificateEvent[]>('GET', `/system/acme_certificates/${domain!.certificate!.id}/events`);
  assert.ok(events.some(({ detail }) => detail.includes('validated by http-01')));
  await until('served', async () => (await shownCertificate(traefik.httpsPort, NAME)).subjectaltname === `DNS:${NAME}`);
  const plain = await fetch(`http://127.0.0.1:${traefik.httpPort}/`, { headers: { host: NAME }, redirect: 'manual' });
  assert.equal(plain.status, 301);
}

test('http-01 comes through Traefik, with files', async (t) => {
  const program = needTraefik(t);
  if (program === undefined) return;
  const challengePort = await freePort();
  const directory = temporaryDirectory(t);
  const responder = `http://127.0.0.1:${challengePort}`;
  await comesThrough(t, program, {
    challengePort,
    publish: { traefik_files: { directory, challenge_responder: responder, redirect_plain: true } },
    providers: { file: { directory, watch: true } },
  });
});

test('http-01 comes through Traefik, with objects of a cluster and certificates of our own', async (t) => {
  const program = needTraefik(t);
  const cluster = program === undefined ? undefined : await needKubeApiserver(t);
  if (program === undefined || cluster === undefined) return;
  for (const file of ['rbac.yaml', 'rbac-native.yaml'])
    await cluster.apply(readFileSync(new URL(`../../deploy/k8s/${file}`, import.meta.url), 'utf8'));
  const challengePort = await freePort();
  await cluster.apply(
    stringify({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'gatehouse-http', namespace: 'paas-apps' },
      spec: { type: 'ExternalName', externalName: 'localhost', ports: [{ name: 'http', port: challengePort }] },
    }),
  );
  const kubeconfig = join(temporaryDirectory(t), 'kubeconfig');
  writeKubeconfig(kubeconfig, cluster, cluster.gatehouseToken);
  await comesThrough(t, program, {
    challengePort,
    publish: {
      kubernetes: {
        kubeconfig,
        certificates: 'native',
        challenge_service: `gatehouse-http:${challengePort}`,
        redirect_plain: true,
      },
    },
    providers: {
      kubernetesCRD: {
        endpoint: cluster.url,
        token: cluster.adminToken,
        certAuthFilePath: cluster.caFile,
        namespaces: ['paas-apps'],
        allowExternalNameServices: true,
        disableClusterScopeResources: true,
        throttleDuration: '100ms',
      },
    },
  });
});
