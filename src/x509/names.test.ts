import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fault } from '../base/index.ts';
import { matchesName, parseCertificateName, parseDnsName, registeredDomain } from './names.ts';

test('host names come out in A-label form', () => {
  assert.equal(parseDnsName('Shop.Example.COM.'), 'shop.example.com');
  assert.equal(parseDnsName('bücher.example'), 'xn--bcher-kva.example');
  assert.equal(parseDnsName('*.example.com', { wildcard: true }), '*.example.com');
  assert.equal(parseDnsName('shop.localhost'), 'shop.localhost');
});

const REFUSED = [
  '',
  'localhost',
  '127.0.0.1',
  '[::1]',
  '::1',
  '1.2.3',
  '0x7f.1',
  'a..b.com',
  '-a.example.com',
  'a_b.example.com',
  'a b.example.com',
  'example.com/x',
  'ex%61mple.com',
  'http://example.com',
  'example.com:443',
  '*.*.example.com',
  'a.*.example.com',
  `${'a'.repeat(64)}.example.com`,
  `${'a.'.repeat(130)}com`,
  'xn--zzzzzz.example.com',
  'xn--.example.com',
  'ab--cd.example.com',
  'x`) || Host(`y.example.com',
  'com',
  'co.uk',
  'github.io',
  '*.com',
  'a\u0000.example.com',
  '*.example.com',
];
for (const text of REFUSED)
  test(`refused as a host name: ${JSON.stringify(text.slice(0, 40))}`, () => {
    assert.throws(
      () => parseDnsName(text, { field: 'domain', wildcard: text === '*.com' }),
      (error) => error instanceof Fault && error.code === 'invalid_name' && error.details.field === 'domain',
    );
  });

test('certificate names may be addresses, in one form', () => {
  assert.equal(parseCertificateName('2001:DB8::0:1'), '2001:db8::1');
  assert.equal(parseCertificateName('192.0.2.1'), '192.0.2.1');
  assert.throws(() => parseCertificateName('192.0.2'), /IP address/);
});

test('a wildcard covers one label', () => {
  assert.ok(matchesName('*.example.com', 'a.example.com'));
  assert.ok(!matchesName('*.example.com', 'a.b.example.com'));
  assert.ok(!matchesName('*.example.com', 'example.com'));
  assert.equal(registeredDomain('a.b.example.co.uk'), 'example.co.uk');
});
