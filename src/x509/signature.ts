import { type KeyObject, sign, verify } from 'node:crypto';
import { nothing, oid, sequence } from './der-write.ts';
import { OID } from './oids.ts';

/** How X.509 structures are signed. */
export type SignatureAlgorithm =
  | 'ecdsa-sha256'
  | 'ecdsa-sha384'
  | 'ecdsa-sha512'
  | 'rsa-sha256'
  | 'rsa-sha384'
  | 'rsa-sha512'
  | 'ed25519';

interface Algorithm {
  readonly oid: string;
  readonly digest: string | null;
  readonly keyType: string;
  /** RSA's identifiers carry a NULL (RFC 4055 §5); the others must not. */
  readonly identifier: Buffer;
}

const plain = (dotted: string, digest: string | null, keyType: string): Algorithm => ({
  oid: dotted,
  digest,
  keyType,
  identifier: keyType === 'rsa' ? sequence(oid(dotted), nothing) : sequence(oid(dotted)),
});

const ALGORITHMS: Record<SignatureAlgorithm, Algorithm> = {
  'ecdsa-sha256': plain('1.2.840.10045.4.3.2', 'sha256', 'ec'),
  'ecdsa-sha384': plain('1.2.840.10045.4.3.3', 'sha384', 'ec'),
  'ecdsa-sha512': plain('1.2.840.10045.4.3.4', 'sha512', 'ec'),
  'rsa-sha256': plain('1.2.840.113549.1.1.11', 'sha256', 'rsa'),
  'rsa-sha384': plain('1.2.840.113549.1.1.12', 'sha384', 'rsa'),
  'rsa-sha512': plain('1.2.840.113549.1.1.13', 'sha512', 'rsa'),
  ed25519: plain(OID.ed25519, null, 'ed25519'),
};

const BY_OID = new Map(Object.values(ALGORITHMS).map((algorithm) => [algorithm.oid, algorithm]));

/** AlgorithmIdentifier in DER. */
export const algorithmIdentifier = (algorithm: SignatureAlgorithm): Buffer => ALGORITHMS[algorithm].identifier;

export const algorithmOid = (algorithm: SignatureAlgorithm): string => ALGORITHMS[algorithm].oid;

export const signBytes = (algorithm: SignatureAlgorithm, bytes: Uint8Array, key: KeyObject): Buffer =>
  sign(ALGORITHMS[algorithm].digest, bytes, key);

/** The algorithm that goes with a signing key: the hash as strong as the curve. */
export function signatureAlgorithmOf(key: KeyObject): SignatureAlgorithm {
  if (key.asymmetricKeyType === 'ed25519') return 'ed25519';
  if (key.asymmetricKeyType === 'rsa') return 'rsa-sha256';
  const curve = key.asymmetricKeyDetails?.namedCurve;
  return curve === 'secp384r1' ? 'ecdsa-sha384' : curve === 'secp521r1' ? 'ecdsa-sha512' : 'ecdsa-sha256';
}

/** Whether the algorithm is one that we know and fits the key, and the signature is good. Never throws. */
export function verifyBytes(algorithmOid: string, bytes: Uint8Array, key: KeyObject, signature: Uint8Array): boolean {
  const algorithm = BY_OID.get(algorithmOid);
  if (algorithm === undefined || algorithm.keyType !== key.asymmetricKeyType) return false;
  try {
    return verify(algorithm.digest, bytes, key, signature);
  } catch {
    return false;
  }
}
