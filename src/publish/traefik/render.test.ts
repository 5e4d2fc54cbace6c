import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parse } from 'yaml';
import { Fault } from '../../base/index.ts';
import type { Route } from '../../picture/index.ts';
import type { RouteGroup } from '../route-group.ts';
import { renderBase } from './base.ts';
import { renderGroup } from './render.ts';

const group = (...routes: Partial<Route>[]): RouteGroup => ({
  id: 'dom_1',
  host: 'shop.example.com',
  origin: { kind: 'domain', appId: 'app_1', appName: 'shop' },
  routes: routes.map((route, i) => ({
    id: i === 0 ? 'dom_1' : `dom_1/${i}`,
    host: 'shop.example.com',
    path: '/',
    upstreams: [{ url: 'http://127.0.0.1:3000' }],
    ...route,
  })),
});

const everything = group(
  {
    path: '/api',
    upstreams: [
      { url: 'https://10.0.0.1:8443', weight: 3, tls: { serverName: 'api.internal', ca: 'PEM', http2: false } },
      { url: 'https://10.0.0.2:8443', weight: 1, tls: { serverName: 'api.internal', ca: 'PEM', http2: false } },
      { url: 'https://10.0.0.3:8443', weight: 0, tls: { serverName: 'api.internal', ca: 'PEM', http2: false } },
    ],
    balance: 'least-connections',
    health: {
      active: { path: '/up', intervalMs: 5000, timeoutMs: 1000, statuses: [204] },
      passive: { failures: 3, restMs: 10_000 },
    },
    timeouts: { connectMs: 1000, requestMs: 30_000 },
    limits: { bodyBytes: 1000, concurrency: { active: 10, queue: 5 } },
    request: { host: { fixed: 'api.internal' }, stripPrefix: true, headers: { set: { 'x-a': '1' }, remove: ['x-b'] } },
    response: { headers: { remove: ['server'] }, hsts: { maxAgeSeconds: 300, includeSubDomains: true } },
    clientCertificate: 'required',
    plain: 'serve',
  },
  { path: '/old', upstreams: [], redirect: { to: 'https://new.example.com', status: 302 } },
);
const settings = { clientCa: '/etc/ca.pem', challengeResponder: 'http://127.0.0.1:8080', redirectPlain: true };

/** Every key path, with names that people choose and list positions taken out. */
function keyPaths(value: unknown, path: readonly string[] = []): string[] {
  if (Array.isArray(value)) return value.flatMap((item) => keyPaths(item, path));
  if (typeof value !== 'object' || value === null) return [path.join('.')];
  const named = /^(routers|services|middlewares|serversTransports|options|customRequestHeaders|customResponseHeaders)$/;
  const free = path.length > 0 && named.test(path.at(-1)!);
  const own = Object.entries(value).flatMap(([key, inner]) => keyPaths(inner, [...path, free ? '*' : key]));
  return own.length > 0 ? own : [path.join('.')];
}

test('every key that we write is one of the reference', () => {
  const reference = parse(readFileSync('test/data/traefik/file-provider-reference.yaml', 'utf8')) as unknown;
  const known = new Set(
    keyPaths(reference).flatMap((path) => path.split('.').map((_, i, all) => all.slice(0, i + 1).join('.'))),
  );
  const passthrough = group({ tls: 'passthrough', upstreams: [{ url: 'https://10.0.0.1:8443', proxyProtocol: 'v2' }] });
  const written = [everything, passthrough].flatMap((one) => keyPaths(renderGroup(one, settings)));
  written.push(...keyPaths(renderBase(settings)));
  assert.deepEqual(
    written.filter((path) => !known.has(path)),
    [],
  );
  assert.ok(written.length > 40);
});

test('a route with everything becomes routers, a service, middlewares and a transport', () => {
  const { http } = renderGroup(everything, settings);
  assert.deepEqual(http?.routers?.['gatehouse-dom-1'], {
    rule: 'Host(`shop.example.com`) && (Path(`/api`) || PathPrefix(`/api/`))',
    priority: 20_004,
    service: 'gatehouse-dom-1',
    middlewares: ['in-flight', 'body', 'client-cert', 'strip', 'headers'].map((kind) => `gatehouse-dom-1-${kind}`),
    entryPoints: ['websecure'],
    tls: { options: 'gatehouse-client-auth' },
  });
  // Options belong to the host, so its other routers name them too.
  assert.equal(http?.routers?.['gatehouse-dom-1-1']?.tls?.options, 'gatehouse-client-auth');
  assert.equal(http?.routers?.['gatehouse-dom-1-1']?.service, 'noop@internal');
  assert.deepEqual(http?.routers?.['gatehouse-dom-1-plain']?.entryPoints, ['web']);
  assert.deepEqual(
    http?.services?.['gatehouse-dom-1']?.loadBalancer.servers.map(({ url }) => url),
    ['https://10.0.0.1:8443', 'https://10.0.0.2:8443'],
  );
  assert.deepEqual(http?.middlewares?.['gatehouse-dom-1-1-redirect'], {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: Go's notation of the first group.
    redirectRegex: { regex: '^[a-z]+://[^/?#]+(.*)$', replacement: 'https://new.example.com${1}', permanent: false },
  });
});

test('what Traefik cannot do is refused with every reason, and never half done', () => {
  const impossible = group({
    upstreams: [{ url: 'unix:/run/app.sock' }, { url: 'http://127.0.0.1:1', proxyProtocol: 'v1' }],
    clientCertificate: 'required',
  });
  assert.throws(
    () => renderGroup(impossible),
    (error: unknown) =>
      error instanceof Fault && error.details.problems?.length === 3 && error.details.retry === 'never',
  );
});
