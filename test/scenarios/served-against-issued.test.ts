// Somebody puts another certificate in the place of ours: it is found from outside, told everywhere, and forgotten once mended.
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createSecureContext, createServer, type SecureContext } from 'node:tls';
import type { CertificateDetail, SystemStatus } from '../../src/contract/index.ts';
import { createTestAuthority } from '../fixtures/certificate.ts';
import { callerOf, startGatehouse } from '../fixtures/gatehouse.ts';
import { temporaryDirectory } from '../fixtures/temporary.ts';
import { until } from '../fixtures/until.ts';

const NAME = 'shop.localhost';

/** Ends TLS with what Gatehouse wrote for Traefik, or with another's certificate while `astray` is set. */
async function startPlace(t: TestContext, directory: string) {
  const wrong = createTestAuthority().issue([NAME]);
  const place = { astray: true, leafAlone: false };
  const delivered = (name: string) => {
    const newest = readdirSync(directory)
      .filter((file) => file.endsWith('.crt'))
      .sort()
      .findLast((file) => new X509Certificate(readFileSync(join(directory, file))).checkHost(name) !== undefined)!;
    const chain = readFileSync(join(directory, newest), 'utf8');
    return {
      cert: place.leafAlone ? chain.slice(0, chain.indexOf('-----END') + '-----END CERTIFICATE-----\n'.length) : chain,
      key: readFileSync(join(directory, newest.replace(/crt$/, 'key')), 'utf8'),
    };
  };
  const choose = (name: string, answer: (error: Error | null, context?: SecureContext) => void) => {
    try {
      answer(null, createSecureContext(place.astray ? wrong : delivered(name)));
    } catch (error) {
      answer(error as Error);
    }
  };
  const server = createServer({ SNICallback: (name, answer) => choose(name, answer) }, (socket) =>
    socket.on('error', () => {}).end(),
  );
  server.on('tlsClientError', () => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  return { place, port: (server.address() as AddressInfo).port };
}

test('another certificate in the place of ours is found, told, and forgotten once it is mended', async (t) => {
  const directory = temporaryDirectory(t);
  const { place, port } = await startPlace(t, directory);
  const gatehouse = await startGatehouse(t, {
    config: `edge: { https_port: 0, http_port: 0, workers: 1 }
api: { port: 0 }
acme_server: { port: 0 }
agents: { port: 0 }
publish: { traefik_files: { directory: ${JSON.stringify(directory)}, probe: "127.0.0.1:${port}" } }
`,
  });
  const call = callerOf(gatehouse);
  const certificate = () => call<CertificateDetail>('GET', `/system/acme_certificates/${NAME}`);
  const findings = async () => (await certificate()).findings;
  const status = () => call<SystemStatus>('GET', '/status');
  await call('POST', '/apps', { id: 'shop', upstreams: ['http://127.0.0.1:9'] });
  await call('POST', '/apps/shop/domains', { domain: NAME });

  await until('the finding', async () => (await findings()).length > 0);
  const [found] = await findings();
  assert.deepEqual([found!.kind, found!.publisher, found!.name], ['differs', 'traefik-files', NAME]);
  assert.match(found!.detail, /another certificate is shown: issued by Test root, serial [0-9a-f]+/);
  // It calls a person once several looks have confirmed it.
  await until('the overview', async () => (await status()).findings.some(({ name }) => name === NAME), 60_000);
  const metrics = async () => {
    const headers = { authorization: `Bearer ${gatehouse.ready.admin_token}` };
    return (await fetch(`${gatehouse.ready.api}/metrics`, { headers })).text();
  };
  assert.match(await metrics(), /^gatehouse_served_otherwise\{publisher="traefik-files"\} [1-9]$/m);
  const shown = await gatehouse.cli('certificates', 'show', NAME);
  assert.match(shown.stdout, /shop\.localhost at traefik-files: another certificate is shown/);
  assert.match((await gatehouse.cli('status')).stdout, /shop\.localhost at traefik-files: another certificate/);

  // The place shows ours again, but not the whole chain: a browser that has not met the intermediate refuses it.
  Object.assign(place, { astray: false, leafAlone: true });
  await call('POST', `/system/acme_certificates/${NAME}/renew`);
  await until('the chain', async () => (await findings())[0]?.kind === 'chain', 60_000);

  place.leafAlone = false;
  await call('POST', `/system/acme_certificates/${NAME}/renew`);
  await until(
    'cleared',
    async () => (await findings()).length === 0 && !(await status()).findings.some(({ name }) => name === NAME),
    60_000,
  );
});
