import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createTestControl } from '../../test/fixtures/control.ts';
import { createVirtualClock, silentLogger } from '../base/index.ts';
import { createApi } from './index.ts';

async function apiForTest() {
  const clock = createVirtualClock();
  const { control, store, issued } = await createTestControl(clock);
  const server = await createApi({
    control,
    clock,
    log: silentLogger,
    version: '0',
    allowedHosts: ['gatehouse.example'],
    isExposed: async (host) => host === 'console.exposed.example',
  });
  const first = await control.tokens.createFirst();
  const call = async (
    method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
    path: string,
    body?: unknown,
    headers: object = {},
  ) => {
    const answer = await server.inject({
      method,
      url: `/api/v1${path}`,
      headers: { host: 'localhost', authorization: `Bearer ${first!.token}`, ...headers },
      ...(body !== undefined && { payload: body as object }),
    });
    return { status: answer.statusCode, headers: answer.headers, body: answer.body === '' ? undefined : answer.json() };
  };
  return { server, control, store, clock, issued, token: first!.token, call };
}

test('an app, a domain, a certificate: from nothing to issued', async () => {
  const { call, issued } = await apiForTest();
  const app = await call('POST', '/apps', { id: 'shop', upstreams: ['http://127.0.0.1:3000'] });
  assert.equal(app.status, 201);
  assert.deepEqual(app.body.data.upstreams, [{ url: 'http://127.0.0.1:3000' }]);
  const added = await call('POST', '/apps/shop/domains', { domain: 'Shop.localhost' });
  assert.equal(added.status, 201, JSON.stringify(added.body));
  assert.deepEqual(
    [added.body.data.domain, added.body.data.tls_status, added.body.data.dns_configured],
    ['shop.localhost', 'pending', true],
  );
  const again = await call('POST', '/apps/shop/domains', { domain: 'shop.localhost' });
  assert.equal(again.status, 200);
  assert.equal(again.body.data.id, added.body.data.id);
  issued(added.body.data.certificate.id);
  const shown = await call('GET', '/apps/shop/domains/shop.localhost');
  assert.equal(shown.body.data.tls_status, 'issued');
  const events = await call('GET', '/system/acme_certificates/shop.localhost/events');
  assert.equal(events.body.data.at(-1).step, 'served');
  assert.equal((await call('DELETE', '/apps/shop/domains/shop.localhost')).status, 204);
  assert.equal((await call('GET', '/apps/shop/domains/shop.localhost')).status, 404);
});

const BAD: [what: string, path: string, body: object, field: string][] = [
  ['no host name', '/apps/shop/domains', { domain: 'a b' }, 'domain'],
  ['an address', '/apps/shop/domains', { domain: '127.0.0.1' }, 'domain'],
  ['a public suffix', '/apps/shop/domains', { domain: 'co.uk' }, 'domain'],
  ["another app's name", '/apps/shop/domains', { domain: 'taken.localhost' }, 'domain'],
  ['an upstream that is no URL', '/apps', { id: 'x', upstreams: ['nonsense'] }, 'upstreams[0]'],
  ['an upstream with a password', '/apps', { id: 'x', upstreams: [{ url: 'http://a:b@c' }] }, 'upstreams[0].url'],
  ['an unknown key', '/apps', { id: 'x', upstreams: ['http://a'], colour: 1 }, 'colour'],
  ['a missing key', '/apps', { id: 'x' }, 'upstreams'],
  ['a wrong type', '/apps', { id: 7, upstreams: ['http://a'] }, 'id'],
  ['an unknown issuer', '/apps/shop/domains', { domain: 'b.localhost', issuers: ['none'] }, 'issuers[0]'],
  ['a wildcard without a credential', '/apps/shop/domains', { domain: '*.shop.example' }, 'dns_credential_id'],
  ["the platform's own name", '/apps/shop/domains', { domain: 'a.apps.localhost' }, 'domain'],
  [
    'a redirect to a stranger',
    '/apps/shop/domains',
    { domain: 'b.localhost', redirect_to: 'c.localhost' },
    'redirect_to',
  ],
];

test('bad input is a problem document that names the field, and changes nothing', async (t) => {
  const { call, store } = await apiForTest();
  await call('POST', '/apps', { id: 'shop', upstreams: ['http://127.0.0.1:3000'] });
  await call('POST', '/apps', { id: 'other', upstreams: ['http://127.0.0.1:3001'] });
  await call('POST', '/apps/other/domains', { domain: 'taken.localhost' });
  const rows = async () => [
    await store.db.selectFrom('app').selectAll().execute(),
    await store.db.selectFrom('domain').selectAll().execute(),
  ];
  const before = await rows();
  for (const [what, path, body, field] of BAD)
    await t.test(what, async () => {
      const answer = await call('POST', path, body);
      assert.ok(answer.status >= 400 && answer.status < 500, JSON.stringify(answer.body));
      assert.match(String(answer.headers['content-type']), /^application\/problem\+json/);
      assert.equal(answer.body.field, field, JSON.stringify(answer.body));
      assert.ok(answer.body.detail.length > 10);
      assert.deepEqual(await rows(), before);
    });
});

test('every request needs a token, and a refusal names the permission and is in the audit log', async () => {
  const { server, call } = await apiForTest();
  const bare = await server.inject({ url: '/api/v1/apps', headers: { host: 'localhost' } });
  assert.equal(bare.statusCode, 401);
  assert.match(String(bare.headers['www-authenticate']), /^Bearer/);
  const made = await call('POST', '/tokens', { name: 'reader', permissions: ['apps.read'] });
  const reader = { authorization: `Bearer ${made.body.data.token}` };
  assert.equal((await call('GET', '/apps', undefined, reader)).status, 200);
  const refused = await call('POST', '/apps', { id: 'x', upstreams: ['http://a'] }, reader);
  assert.equal(refused.status, 403);
  assert.equal(refused.body.missing_permission, 'apps.manage');
  const log = await call('GET', '/audit_events?outcome=refused');
  assert.deepEqual([log.body.data[0].action, log.body.data[0].outcome], ['app.create', 'refused']);
  assert.equal((await call('GET', '/audit_events/verify')).body.data.ok, true);
  await call('DELETE', `/tokens/${made.body.data.id}`);
  assert.equal((await call('GET', '/apps', undefined, reader)).status, 401);
});

test('a token that is limited to an app sees and does nothing else', async () => {
  const { call } = await apiForTest();
  await call('POST', '/apps', { id: 'shop', upstreams: ['http://a'] });
  await call('POST', '/apps', { id: 'other', upstreams: ['http://a'] });
  const made = await call('POST', '/tokens', { name: 's', permissions: ['apps.read', 'apps.manage'], apps: ['shop'] });
  const scoped = { authorization: `Bearer ${made.body.data.token}` };
  const list = await call('GET', '/apps', undefined, scoped);
  assert.deepEqual(
    list.body.data.map(({ id }: { id: string }) => id),
    ['shop'],
  );
  assert.equal((await call('GET', '/apps/other', undefined, scoped)).status, 403);
  assert.equal((await call('POST', '/apps/other/domains', { domain: 'a.localhost' }, scoped)).status, 403);
  assert.equal((await call('POST', '/apps', { id: 'new', upstreams: ['http://a'] }, scoped)).status, 403);
  assert.equal((await call('POST', '/apps/shop/domains', { domain: 'a.localhost' }, scoped)).status, 201);
});

test('a session works by cookie, and a write from another site is refused', async () => {
  const { server, token } = await apiForTest();
  const own = { host: 'localhost', origin: 'http://localhost', 'x-gatehouse-console': '1' };
  const sign = await server.inject({ method: 'POST', url: '/api/v1/session', headers: own, payload: { token } });
  assert.equal(sign.statusCode, 200, sign.body);
  const cookie = String(sign.headers['set-cookie']);
  assert.match(cookie, /HttpOnly/);
  assert.match(cookie, /SameSite=Strict/);
  const session = { ...own, cookie: cookie.split(';')[0]! };
  const payload = { id: 'x', upstreams: ['http://a'] };
  const write = (headers: Record<string, string>) =>
    server.inject({ method: 'POST', url: '/api/v1/apps', headers, payload });
  assert.equal((await write({ ...session, origin: 'http://evil.example' })).statusCode, 403);
  const { 'x-gatehouse-console': _, ...headerless } = session;
  assert.equal((await write(headerless)).statusCode, 403);
  assert.equal((await write(session)).statusCode, 201);
  await server.inject({ method: 'DELETE', url: '/api/v1/session', headers: session });
  assert.equal((await server.inject({ url: '/api/v1/apps', headers: session })).statusCode, 401);
});

test('a host name that is not known is refused before anything else', async () => {
  const { server } = await apiForTest();
  const ask = async (host: string) => (await server.inject({ url: '/healthz', headers: { host } })).statusCode;
  assert.equal(await ask('evil.example'), 403);
  assert.equal(await ask('gatehouse.example:8440'), 200);
  assert.equal(await ask('console.exposed.example'), 200, 'exposing a name makes it known');
  assert.equal(await ask('127.0.0.1:8440'), 200);
  assert.equal(await ask('[::1]:8440'), 200);
});

test('lists are paged by cursor', async () => {
  const { call } = await apiForTest();
  for (let i = 0; i < 5; i++) await call('POST', '/apps', { id: `a${i}`, upstreams: ['http://a'] });
  const seen: string[] = [];
  let cursor: string | null = '';
  while (cursor !== null) {
    const { body } = await call('GET', `/apps?limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`);
    seen.push(...body.data.map(({ id }: { id: string }) => id));
    cursor = body.page.next_cursor;
  }
  assert.deepEqual(seen, ['a0', 'a1', 'a2', 'a3', 'a4']);
  assert.equal((await call('GET', '/apps?cursor=nonsense')).body.field, 'cursor');
  assert.equal((await call('GET', '/apps?limit=0')).body.field, 'limit');
});

test('every route is in the OpenAPI document, with a name, words, and problems as its errors', async () => {
  const { server } = await apiForTest();
  const document = (await server.inject({ url: '/api/v1/openapi.json', headers: { host: 'localhost' } })).json();
  const names = new Set<string>();
  let operations = 0;
  for (const [path, methods] of Object.entries<Record<string, Record<string, never>>>(document.paths))
    for (const [method, operation] of Object.entries(methods)) {
      const { operationId, summary, responses } = operation as unknown as {
        operationId: string;
        summary: string;
        responses: Record<string, { content?: object }>;
      };
      operations++;
      assert.ok(operationId && summary, `${method} ${path}`);
      assert.ok(!names.has(operationId), operationId);
      names.add(operationId);
      for (const range of ['4XX', '5XX'])
        assert.ok('application/problem+json' in (responses[range]?.content ?? {}), `${method} ${path} ${range}`);
      // Not one of them answers a stranger but the one that says how to stop being one, and none falls over when its parameters are nonsense.
      const url = path.replaceAll(/\{\w+\}/g, '%00%F0%9F%92%A9');
      const bare = await server.inject({ method: method.toUpperCase() as 'GET', url, headers: { host: 'localhost' } });
      const refused = operationId === 'listSignInWays' ? [200] : [401, 403, 415, 422];
      assert.ok(refused.includes(bare.statusCode), `${method} ${path}: ${bare.statusCode}`);
    }
  assert.ok(operations > 60, `${operations}`);
});

test('nonsense in path, query and body is a problem of the client, never a failure here', async (t) => {
  const { server, token } = await apiForTest();
  const document = (await server.inject({ url: '/api/v1/openapi.json', headers: { host: 'localhost' } })).json();
  const headers = { host: 'localhost', authorization: `Bearer ${token}` };
  const operations = Object.entries<object>(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods)
      .filter((method) => !path.endsWith('/api/v1/events') && !(method === 'delete' && path.includes('/session')))
      .map((method) => ({ path, method: method.toUpperCase() as 'GET' })),
  );
  const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
  t.diagnostic(`seed ${seed}`);
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...operations),
      fc.string({ unit: 'binary', maxLength: 40 }),
      fc.dictionary(fc.constantFrom('limit', 'cursor', 'after', 'prefix', 'status'), fc.string({ maxLength: 20 })),
      fc.jsonValue({ maxDepth: 3 }),
      async ({ path, method }, word, query, body) => {
        const url = `${path.replaceAll(/\{\w+\}/g, encodeURIComponent(word) || 'x')}?${new URLSearchParams(query)}`;
        const answer = await server.inject({
          method,
          url,
          headers,
          ...(method !== 'GET' && {
            payload: JSON.stringify(body),
            headers: { ...headers, 'content-type': 'application/json' },
          }),
        });
        assert.ok(answer.statusCode < 500 || answer.statusCode === 501, `${method} ${url}: ${answer.body}`);
        if (answer.statusCode >= 400) assert.ok(answer.json().detail.length > 0);
      },
    ),
    { seed, numRuns: 400 },
  );
});

test('the OpenAPI document is 3.1 and names its schemas', async () => {
  const { server } = await apiForTest();
  const document = (await server.inject({ url: '/api/v1/openapi.json', headers: { host: 'localhost' } })).json();
  assert.equal(document.openapi, '3.1.0');
  assert.ok('/api/v1/apps/{app}/domains/{domain}' in document.paths);
  assert.ok('Domain' in document.components.schemas);
});
