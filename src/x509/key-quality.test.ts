import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { describeKey, weakness } from './index.ts';

const base64url = (n: bigint): string => {
  const hex = n.toString(16);
  return Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex').toString('base64url');
};
const rsa = (n: bigint) => createPublicKey({ key: { kty: 'RSA', n: base64url(n), e: 'AQAB' }, format: 'jwk' });

test('good keys are described and not refused', () => {
  const keys = [
    ['rsa2048', generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey],
    ['p256', generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey],
    ['p384', generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey],
    ['ed25519', generateKeyPairSync('ed25519').publicKey],
  ] as const;
  for (const [name, key] of keys) {
    assert.equal(describeKey(key)?.name, name);
    assert.equal(weakness(key), undefined);
  }
  assert.equal(describeKey(generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey), undefined);
});

test('a small factor, close factors and the ROCA fingerprint are found', () => {
  const { n } = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ format: 'jwk' });
  const good = BigInt(`0x${Buffer.from(n!, 'base64url').toString('hex')}`);
  assert.equal(weakness(rsa(good * 3n)), 'has a small factor');
  // Two neighbours: (a - 4)(a + 4), a far from small primes by construction of the test above it.
  const p = (1n << 1024n) - 105n;
  assert.match(weakness(rsa(p * p))!, /close|small factor/);
  // A power of 65537 modulo the product of the first primes has the fingerprint at every one of them.
  const primes = [
    2n,
    3n,
    5n,
    7n,
    11n,
    13n,
    17n,
    19n,
    23n,
    29n,
    31n,
    37n,
    41n,
    43n,
    47n,
    53n,
    59n,
    61n,
    67n,
    71n,
    73n,
    79n,
    83n,
    89n,
    97n,
    101n,
    103n,
    107n,
    109n,
    113n,
    127n,
    131n,
    137n,
    139n,
    149n,
    151n,
    157n,
    163n,
    167n,
  ];
  const m = primes.reduce((product, prime) => product * prime, 1n);
  let residue = 1n;
  for (let i = 0; i < 1234; i++) residue = (residue * 65537n) % m;
  const outcomes = Array.from({ length: 200 }, (_, k) =>
    weakness(rsa((1n << 2047n) - ((1n << 2047n) % m) + residue + m * BigInt(k))),
  );
  assert.ok(outcomes.some((outcome) => outcome?.includes('ROCA')));
  assert.ok(outcomes.every((outcome) => outcome !== undefined));
});
