import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deriveExposure, type RoutedExposure } from './exposure-source.ts';

const exposure: RoutedExposure = {
  id: 'exp_1',
  hostname: 'metrics.example.com',
  protocol: 'https',
  status: 'exposed',
  termination: 'proxy',
  backend_port: 9090,
  certificate_id: 'cert_1',
  issuer: 'letsencrypt-prod',
  address: 'fd00::1',
  also: null,
};

test('an exposure leads to its virtual IP', () => {
  const group = deriveExposure(exposure);
  assert.deepEqual(group?.routes, [
    { id: 'exp_1', host: 'metrics.example.com', path: '/', upstreams: [{ url: 'http://[fd00::1]:9090' }] },
  ]);
  assert.equal(group?.certificateId, 'cert_1');
});

test('a backend that ends TLS itself gets it passed through', () => {
  const route = deriveExposure({ ...exposure, termination: 'backend', address: '10.0.0.1' })?.routes[0];
  assert.deepEqual([route?.tls, route?.upstreams[0]?.url], ['passthrough', 'https://10.0.0.1:9090']);
});

test('a host that is exposed by both protocols has one route, which answers both', () => {
  assert.equal(deriveExposure({ ...exposure, also: 'http' })?.routes[0]?.plain, 'serve');
  assert.equal(deriveExposure({ ...exposure, protocol: 'http', also: 'https' }), undefined);
  assert.equal(deriveExposure({ ...exposure, protocol: 'http' })?.routes[0]?.plain, 'serve');
});

test('what is being withdrawn has no route any more', () => {
  assert.equal(deriveExposure({ ...exposure, status: 'withdrawing' }), undefined);
});
