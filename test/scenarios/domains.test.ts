// A platform's day: names of one app that lead to each other, a name that is certified before its traffic moves, and its end.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { test } from 'node:test';
import type { Domain } from '../../src/contract/index.ts';
import { callerOf, startGatehouse } from '../fixtures/gatehouse.ts';
import { startSampleUpstream } from '../fixtures/sample-upstream.ts';
import { until } from '../fixtures/until.ts';

test('redirects between names, pre-validation and removal, as clients of the edge see them', async (t) => {
  const upstream = await startSampleUpstream(t);
  const gatehouse = await startGatehouse(t);
  const call = callerOf(gatehouse);
  const { port } = new URL(gatehouse.ready.edge_https);
  const ca = readFileSync(gatehouse.ready.ca_root_file);
  const get = (host: string) =>
    new Promise<{ status: number; location: string | undefined }>((resolve, reject) => {
      const options = { host: '127.0.0.1', port, servername: host, path: '/a?b=c', ca, agent: false };
      request({ ...options, headers: { host: `${host}:${port}` } }, (response) => {
        response.resume();
        resolve({ status: response.statusCode!, location: response.headers.location });
      })
        .on('error', reject)
        .end();
    });
  const domain = (name: string) => call<Domain>('GET', `/apps/shop/domains/${name}`);
  await call('POST', '/apps', { id: 'shop', upstreams: [upstream.url] });
  await call('POST', '/apps/shop/domains', { domain: 'shop.localhost' });
  await call('POST', '/apps/shop/domains', { domain: 'www.shop.localhost', redirect_to: 'shop.localhost' });
  assert.equal((await get('shop.localhost')).status, 200);
  assert.deepEqual(await get('www.shop.localhost'), {
    status: 308,
    location: `https://shop.localhost:${port}/a?b=c`,
  });
  // The other way round: first the target must stop being sent on itself.
  await call('PATCH', '/apps/shop/domains/www.shop.localhost', { redirect_to: null });
  await call('PATCH', '/apps/shop/domains/shop.localhost', { redirect_to: 'www.shop.localhost' });
  await until('turned', async () => (await get('shop.localhost')).status === 308);
  assert.equal((await get('www.shop.localhost')).status, 200);

  await call('POST', '/apps/shop/domains', { domain: 'later.localhost', route: false });
  await until('certified', async () => (await domain('later.localhost')).tls_status === 'issued');
  assert.notEqual((await get('later.localhost').catch(() => ({ status: 0 }))).status, 200);
  await call('PATCH', '/apps/shop/domains/later.localhost', { route: true });
  await until('routed', async () => (await get('later.localhost')).status === 200);

  await call('POST', '/apps/shop/domains', { domain: 'seldom.localhost', on_demand: true });
  const all = await call<Domain[]>('GET', '/domains');
  for (const status of ['issued', 'renewing', 'pending', 'failed']) {
    const names = (list: Domain[]) => list.map((one) => one.domain).sort();
    const listed = await call<Domain[]>('GET', `/domains?tls_status=${status}`);
    assert.deepEqual(names(listed), names(all.filter(({ tls_status }) => tls_status === status)), status);
  }
  assert.ok(all.some(({ tls_status }) => tls_status === 'pending'));

  await call('DELETE', '/apps/shop/domains/later.localhost');
  await until('withdrawn', async () => (await get('later.localhost').catch(() => ({ status: 0 }))).status !== 200);
});
