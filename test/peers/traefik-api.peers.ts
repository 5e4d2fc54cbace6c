// A name added through our API is served by real Traefik with our certificate, by both providers, and the monitor says so.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { test } from 'node:test';
import { stringify } from 'yaml';
import { startGatehouse } from '../fixtures/gatehouse.ts';
import { startSampleUpstream } from '../fixtures/sample-upstream.ts';
import { freePort, temporaryDirectory } from '../fixtures/temporary.ts';
import { needTraefik, startTraefik } from '../fixtures/traefik.ts';
import { until } from '../fixtures/until.ts';

const NAME = 'shop.localhost';

interface RouteDocument {
  readonly hosts: string[];
  readonly delivery: { publisher: string; state: string; problem?: string }[];
}

test('a name that the API was given is served by Traefik, read from files and over HTTP', async (t) => {
  const program = needTraefik(t);
  if (program === undefined) return;
  const upstream = await startSampleUpstream(t);
  const directory = temporaryDirectory(t);
  const [filePort, httpPort] = [await freePort(), await freePort()];
  const gatehouse = await startGatehouse(t, {
    config: stringify({
      edge: { https_port: 0, http_port: 0, workers: 1 },
      api: { port: 0 },
      acme_server: { port: 0 },
      publish: {
        traefik_files: { directory, probe: `127.0.0.1:${filePort}` },
        traefik_http: { probe: `127.0.0.1:${httpPort}` },
      },
    }),
  });
  const { api, admin_token: token, ca_root_file: root } = gatehouse.ready;
  const authorization = `Bearer ${token}`;
  const call = async (method: string, path: string, body?: object) => {
    const answer = await fetch(`${api}/api/v1${path}`, {
      method,
      headers: { authorization, ...(body && { 'content-type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${text}`);
    return text === '' ? undefined : (JSON.parse(text) as { data: unknown });
  };
  await call('POST', '/apps', { id: 'shop', upstreams: [upstream.url] });
  await call('POST', '/apps/shop/domains', { domain: NAME });

  const files = { file: { directory, watch: true } };
  const http = {
    http: {
      endpoint: `${api}/api/v1/publish/traefik`,
      pollInterval: '500ms',
      headers: { Authorization: `Bearer ${token}` },
    },
  };
  const get = (port: number) =>
    new Promise<number>((resolve, reject) => {
      const ca = readFileSync(join(root));
      const outgoing = request(
        { host: '127.0.0.1', port, servername: NAME, headers: { host: NAME }, ca, agent: false },
        (response) => {
          response.resume();
          resolve(response.statusCode!);
        },
      );
      outgoing.on('error', reject).end();
    });
  for (const [providers, port] of [
    [files, filePort],
    [http, httpPort],
  ] as const) {
    const traefik = await startTraefik(t, program, providers, {}, port);
    await until('served', async () => (await get(traefik.httpsPort)) === 200);
  }
  await until('seen', async () => {
    const { data } = (await call('GET', '/system/ingress_routes')) as { data: RouteDocument[] };
    const delivery = data.find(({ hosts }) => hosts.includes(NAME))?.delivery ?? [];
    assert.deepEqual(delivery.map(({ publisher, state }) => [publisher, state]).sort(), [
      ['edge', 'seen'],
      ['traefik-files', 'seen'],
      ['traefik-http', 'seen'],
    ]);
    return true;
  });
  // The document holds keys: a reader of the monitor has no right to it.
  const reader = (await call('POST', '/tokens', { name: 'reader', permissions: ['system.ingress.read'] })) as {
    data: { token?: string; secret?: string };
  };
  const refused = await fetch(`${api}/api/v1/publish/traefik`, {
    headers: { authorization: `Bearer ${reader.data.token ?? reader.data.secret}` },
  });
  assert.equal(refused.status, 403);

  await call('DELETE', `/apps/shop/domains/${NAME}`);
  await until(
    'withdrawn',
    async () => (await get(filePort).catch(() => 0)) !== 200 && (await get(httpPort).catch(() => 0)) !== 200,
  );
});
