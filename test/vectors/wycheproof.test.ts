import assert from 'node:assert/strict';
import { createPublicKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { PublicJwk } from '../../src/acme/index.ts';
import { importAccountKey, verifyJws } from '../../src/acme-server/jws.ts';
import { OID, verifyBytes } from '../../src/x509/index.ts';

type Vector = readonly [
  number: number,
  result: 'valid' | 'invalid' | 'acceptable',
  comment: string,
  msg: string,
  sig: string,
];
interface Vectors {
  readonly groups: readonly { readonly spki: string; readonly tests: readonly Vector[] }[];
}

const bytes = (text: string): Buffer => Buffer.from(text, 'base64');

/** Runs every vector of a file; `make` gets a key once and answers a check. What is only "acceptable" may go either way. */
function judge(file: string, make: (spki: Buffer) => (message: Buffer, signature: Buffer) => boolean): void {
  const { groups } = JSON.parse(readFileSync(`test/data/wycheproof/${file}.json`, 'utf8')) as Vectors;
  const wrong: string[] = [];
  let valid = 0;
  let invalid = 0;
  for (const { spki, tests } of groups) {
    const check = make(bytes(spki));
    for (const [number, result, comment, message, signature] of tests) {
      if (result === 'acceptable') continue;
      if (result === 'valid') valid++;
      else invalid++;
      if (check(bytes(message), bytes(signature)) !== (result === 'valid'))
        wrong.push(`${number} (${result}): ${comment}`);
    }
  }
  assert.deepEqual(wrong, []);
  assert.ok(valid > 5 && invalid > 5, `${file} has ${valid} good and ${invalid} bad signatures`);
}

/** Requests are signed in these ways (RFC 7518 §3.3, §3.4; RFC 8037 §3.1). */
const JWS = {
  ecdsa_secp256r1_sha256_p1363: 'ES256',
  ecdsa_secp384r1_sha384_p1363: 'ES384',
  rsa_signature_2048_sha256: 'RS256',
  rsa_signature_3072_sha256: 'RS256',
  ed25519: 'EdDSA',
} as const;

for (const [file, alg] of Object.entries(JWS))
  test(`a request's signature by ${alg}: Wycheproof's ${file}`, () => {
    judge(file, (spki) => {
      const jwk = createPublicKey({ key: spki, format: 'der', type: 'spki' }).export({ format: 'jwk' }) as PublicJwk;
      const key = importAccountKey(jwk);
      return (signed, signature) => {
        const jws = {
          header: { alg, url: '', key: { kind: 'jwk', jwk } as const },
          payload: Buffer.of(),
          signed,
          signature,
        };
        try {
          verifyJws(jws, key);
          return true;
        } catch {
          return false;
        }
      };
    });
  });

/** Certificates and CSRs are signed in these (RFC 5758, RFC 4055, RFC 8410). */
const X509 = {
  ecdsa_secp256r1_sha256: '1.2.840.10045.4.3.2',
  ecdsa_secp384r1_sha384: '1.2.840.10045.4.3.3',
  ecdsa_secp521r1_sha512: '1.2.840.10045.4.3.4',
  rsa_signature_2048_sha256: '1.2.840.113549.1.1.11',
  rsa_signature_3072_sha256: '1.2.840.113549.1.1.11',
  rsa_signature_2048_sha384: '1.2.840.113549.1.1.12',
  rsa_signature_4096_sha512: '1.2.840.113549.1.1.13',
  ed25519: OID.ed25519,
};

for (const [file, algorithm] of Object.entries(X509))
  test(`a signature on X.509 structures: Wycheproof's ${file}`, () => {
    judge(file, (spki) => {
      const key = createPublicKey({ key: spki, format: 'der', type: 'spki' });
      return (message, signature) => verifyBytes(algorithm, message, key, signature);
    });
  });
