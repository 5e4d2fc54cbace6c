import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCertificationRequest } from './csr.ts';
import { createCertificationRequest, generateKey, KEY_TYPES, keyDigest, keyTypeOf } from './index.ts';

test('a request carries its names and is signed by its key, for every kind of key', async () => {
  for (const type of KEY_TYPES.filter((type) => type !== 'rsa-4096')) {
    const key = await generateKey(type);
    assert.equal(keyTypeOf(key), type);
    const names = ['shop.example.com', '*.example.com', '192.0.2.7', '2001:db8::7'];
    const request = parseCertificationRequest(createCertificationRequest(names, key));
    assert.deepEqual([...request.names.dns, ...request.names.ip], names);
    assert.equal(request.spkiHash, keyDigest(key));
  }
});
