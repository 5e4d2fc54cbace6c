import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ariCertificateId, identifierOf, jwkThumbprint, reverseName } from './index.ts';

test('the thumbprint of RFC 7638 §3.1 comes out', () => {
  const n =
    '0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw';
  assert.equal(jwkThumbprint({ kty: 'RSA', n, e: 'AQAB' }), 'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs');
});

test('the certificate identifier of RFC 9773 §4.1 comes out', () => {
  const aki = Buffer.from('69885B6B87464041E1B37B847BA0AE2CDE01C8D4', 'hex');
  assert.equal(ariCertificateId(aki, Buffer.from('0087654321', 'hex')), 'aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE');
});

test('addresses become ip identifiers in canonical form, and reverse names', () => {
  assert.deepEqual(identifierOf('2001:DB8:0::1'), { type: 'ip', value: '2001:db8::1' });
  assert.deepEqual(identifierOf('Shop.Example.com'), { type: 'dns', value: 'shop.example.com' });
  assert.equal(reverseName('192.0.2.5'), '5.2.0.192.in-addr.arpa');
  assert.ok(reverseName('2001:db8::1').startsWith('1.0.0.0.') && reverseName('2001:db8::1').endsWith('.ip6.arpa'));
});
