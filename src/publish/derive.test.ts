import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deriveDomain } from './derive.ts';

const app = { id: 'app_1', name: 'shop', upstreams: '[{"url":"http://127.0.0.1:3000","weight":2}]' };
const domain = {
  id: 'dom_1',
  name: 'shop.example.com',
  routed: 1,
  redirect_to: null,
  lapsed_at: null,
  certificate_id: 'cert_1',
  issuers: null,
};

test('a domain goes to its app with the certificate that covers it', () => {
  assert.deepEqual(deriveDomain(app, domain), {
    id: 'dom_1',
    host: 'shop.example.com',
    origin: { kind: 'domain', appId: 'app_1', appName: 'shop' },
    routes: [
      {
        id: 'dom_1',
        host: 'shop.example.com',
        path: '/',
        upstreams: [{ url: 'http://127.0.0.1:3000', weight: 2 }],
      },
    ],
    certificateId: 'cert_1',
  });
});

test('a redirect leads to https', () => {
  const redirected = { ...domain, redirect_to: 'www.example.com' };
  assert.equal(deriveDomain(app, redirected)?.routes[0]?.redirect?.to, 'https://www.example.com');
});

test('a name that is only being proved, or whose claim lapsed, has no route', () => {
  assert.equal(deriveDomain(app, { ...domain, routed: 0 }), undefined);
  assert.equal(deriveDomain(app, { ...domain, lapsed_at: 1 }), undefined);
});
