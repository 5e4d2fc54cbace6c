import { createHash, createPrivateKey, createPublicKey, generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { Fault } from '../base/index.ts';

/** Kinds of key that a server certificate is made for. */
export const KEY_TYPES = ['ec-p256', 'ec-p384', 'rsa-2048', 'rsa-3072', 'rsa-4096'] as const;
export type KeyType = (typeof KEY_TYPES)[number];

const generate = promisify(generateKeyPair);

/** A new private key. RSA keys are made off the main thread and take from 50 ms to a second. */
export async function generateKey(type: KeyType): Promise<KeyObject> {
  if (type === 'ec-p256') return (await generate('ec', { namedCurve: 'P-256' })).privateKey;
  if (type === 'ec-p384') return (await generate('ec', { namedCurve: 'P-384' })).privateKey;
  return (await generate('rsa', { modulusLength: Number(type.slice('rsa-'.length)) })).privateKey;
}

/** PEM, PKCS #8. */
export const keyPem = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString();

/** Throws a `Fault` of code `invalid_key` that names the field. */
export function parsePrivateKey(pem: string, field?: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (error) {
    const encrypted = /ENCRYPTED/.test(pem);
    throw new Fault(
      {
        code: 'invalid_key',
        detail: encrypted ? 'the private key is encrypted' : 'that is no private key in PEM',
        party: 'client',
        retry: 'never',
        advice: encrypted
          ? 'decrypt it first: openssl pkey -in key.pem -out plain.pem'
          : 'give the PEM block that begins with BEGIN PRIVATE KEY, BEGIN EC PRIVATE KEY or BEGIN RSA PRIVATE KEY',
        field,
        status: 422,
      },
      error,
    );
  }
}

/** The kind of a key, if it is one that we make. */
export function keyTypeOf(key: KeyObject): KeyType | undefined {
  const details = key.asymmetricKeyDetails;
  if (key.asymmetricKeyType === 'ec')
    return details?.namedCurve === 'prime256v1'
      ? 'ec-p256'
      : details?.namedCurve === 'secp384r1'
        ? 'ec-p384'
        : undefined;
  return KEY_TYPES.find((type) => key.asymmetricKeyType === 'rsa' && type === `rsa-${details?.modulusLength}`);
}

/** SubjectPublicKeyInfo in DER, of a private or a public key. */
export const spkiOf = (key: KeyObject): Buffer =>
  (key.type === 'private' ? createPublicKey(key) : key).export({ type: 'spki', format: 'der' });

/** Hex SHA-256 of the SubjectPublicKeyInfo: one text for a key, by which it is found again. */
export const keyDigest = (key: KeyObject): string => createHash('sha256').update(spkiOf(key)).digest('hex');
