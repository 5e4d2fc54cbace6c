import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { keyIdentifier, type SignatureAlgorithm, signatureAlgorithmOf, signBytes } from '../x509/index.ts';

/** A signing key that may live elsewhere (PKCS#11, a KMS): it signs bytes and never shows itself. */
export interface Signer {
  readonly algorithm: SignatureAlgorithm;
  /** SubjectPublicKeyInfo in DER. */
  readonly spki: Buffer;
  readonly keyId: Buffer;
  sign(bytes: Uint8Array): Uint8Array | Promise<Uint8Array>;
}

export function createKeySigner(key: KeyObject): Signer {
  const spki = createPublicKey(key).export({ format: 'der', type: 'spki' });
  const algorithm = signatureAlgorithmOf(key);
  return { algorithm, spki, keyId: keyIdentifier(spki), sign: (bytes) => signBytes(algorithm, bytes, key) };
}

export const signerFromPkcs8 = (der: Uint8Array): Signer =>
  createKeySigner(createPrivateKey({ key: Buffer.from(der), format: 'der', type: 'pkcs8' }));
