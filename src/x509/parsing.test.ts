import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { createTestAuthority } from '../../test/fixtures/certificate.ts';
import { changedBytes, seeded } from '../../test/fixtures/properties.ts';
import { Fault } from '../base/index.ts';
import { children, readElement, timeValue } from './der-read.ts';
import { bitString, element, explicit, integer, nothing, octetString, oid, sequence, TAG } from './der-write.ts';
import {
  createCertificationRequest,
  generateKey,
  OID,
  parseCertificate,
  parseCertificationRequest,
  parseOcspRequest,
  parsePem,
  signBytes,
  spkiOf,
} from './index.ts';
import { algorithmIdentifier, signatureAlgorithmOf } from './signature.ts';

/** What is read, or undefined where the bytes are refused by name. */
function orRefused<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof Fault && ['malformed_der', 'bad_csr'].includes(error.code)) return undefined;
    throw error;
  }
}

/** A request around any info, signed as a client would that writes what it likes. */
function signedInfo(info: Uint8Array, key: KeyObject): Buffer {
  const algorithm = signatureAlgorithmOf(key);
  return sequence(info, algorithmIdentifier(algorithm), bitString(signBytes(algorithm, info, key)));
}

test('a request whose signer wrote anything into it is read or refused', async (t) => {
  const key = await generateKey('ec-p256');
  const info = children(readElement(createCertificationRequest(['shop.example.com', '192.0.2.7'], key)))[0]!.whole;
  let read = 0;
  fc.assert(
    fc.property(changedBytes(info), (bytes) => {
      const found = orRefused(() => parseCertificationRequest(signedInfo(bytes, key)));
      if (found === undefined) return;
      read++;
      assert.deepEqual(found.spki, spkiOf(key));
      for (const name of found.names.dns) assert.match(name, /^[\x21-\x40\x5b-\x7e]+$/);
    }),
    seeded(t, 600),
  );
  assert.ok(read > 10, `${read} were read`);
});

test('a key in a request has one spelling: a second one would not be known again when it is compromised', async () => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const requestOf = (spki: Buffer, key: KeyObject) =>
    signedInfo(sequence(integer(0), sequence(), spki, explicit(0)), key);
  const usual = publicKey.export({ format: 'der', type: 'spki' });
  assert.ok(parseCertificationRequest(requestOf(usual, privateKey)));
  const point = usual.subarray(-65);
  const algorithm = sequence(oid('1.2.840.10045.2.1'), oid('1.2.840.10045.3.1.7'));
  const parity = point[64]! & 1;
  const compressed = sequence(algorithm, bitString(Buffer.concat([Buffer.of(2 + parity), point.subarray(1, 33)])));
  const hybrid = sequence(algorithm, bitString(Buffer.concat([Buffer.of(6 + parity), point.subarray(1)])));
  const hex = (text: string) => Buffer.from(text, 'hex');
  const prime = hex('00ffffffff00000001000000000000000000000000ffffffffffffffffffffffff');
  const explicitCurve = sequence(
    integer(1),
    sequence(oid('1.2.840.10045.1.1'), element(TAG.integer, prime)),
    sequence(
      octetString(hex('ffffffff00000001000000000000000000000000fffffffffffffffffffffffc')),
      octetString(hex('5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b')),
    ),
    octetString(
      hex(
        '046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c2964fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5',
      ),
    ),
    element(TAG.integer, hex('00ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551')),
    integer(1),
  );
  const spelled = sequence(sequence(oid('1.2.840.10045.2.1'), explicitCurve), bitString(point));
  const rsa = await generateKey('rsa-2048');
  const [, modulus] = children(readElement(spkiOf(rsa)));
  const withoutNull = sequence(sequence(oid('1.2.840.113549.1.1.1')), modulus!.whole);
  assert.ok(
    parseCertificationRequest(requestOf(sequence(sequence(oid('1.2.840.113549.1.1.1'), nothing), modulus!.whole), rsa)),
  );
  for (const [name, spki, key] of [
    ['compressed', compressed, privateKey],
    ['hybrid', hybrid, privateKey],
    ['curve by its parameters', spelled, privateKey],
    ['RSA without NULL', withoutNull, rsa],
  ] as const) {
    assert.ok(createPublicKey({ key: spki, format: 'der', type: 'spki' }), `${name}: read by the library`);
    assert.throws(
      () => parseCertificationRequest(requestOf(spki, key)),
      { code: 'bad_csr', message: /usual form/ },
      name,
    );
  }
});

test('changed certificates and OCSP requests are read or refused', (t) => {
  const run = seeded(t, 600);
  const [certificate] = parsePem('CERTIFICATE', createTestAuthority().issue(['shop.example.com', '192.0.2.7']).cert);
  fc.assert(
    fc.property(fc.oneof(changedBytes(certificate!), fc.uint8Array({ maxLength: 80 })), (bytes) => {
      const found = orRefused(() => parseCertificate(bytes));
      if (found) assert.ok(Number.isFinite(found.notAfter) && found.serial.length > 0);
    }),
    run,
  );
  const id = sequence(
    sequence(oid(OID.sha1), nothing),
    octetString(Buffer.alloc(20, 1)),
    octetString(Buffer.alloc(20, 2)),
    integer(77),
  );
  const nonce = sequence(sequence(oid(OID.ocspNonce), octetString(octetString(Buffer.alloc(16, 3)))));
  const request = sequence(sequence(sequence(sequence(id)), explicit(2, nonce)));
  assert.deepEqual(parseOcspRequest(request).certificates[0]?.whole, id);
  fc.assert(
    fc.property(fc.oneof(changedBytes(request), fc.uint8Array({ maxLength: 80 })), (bytes) => {
      const found = orRefused(() => parseOcspRequest(bytes));
      for (const { whole } of found?.certificates ?? []) assert.ok(Buffer.from(bytes).includes(whole));
    }),
    run,
  );
});

test('a time of a day or an hour that there is not is refused', () => {
  const at = (text: string) => orRefused(() => timeValue(readElement(element(TAG.utcTime, Buffer.from(text))), 'it'));
  assert.equal(at('260228235959Z'), Date.UTC(2026, 1, 28, 23, 59, 59));
  for (const wrong of [
    '260230000000Z',
    '260431000000Z',
    '260228240000Z',
    '260228235960Z',
    '261301000000Z',
    '2602282359Z',
  ])
    assert.equal(at(wrong), undefined, wrong);
});
