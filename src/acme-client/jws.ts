import { createHmac, createPublicKey, type KeyObject, sign } from 'node:crypto';
import { jwkThumbprint, type PublicJwk } from '../acme/index.ts';
import { Fault } from '../base/index.ts';

/** Who signs a request: by account URL, or by the key itself where there is no account yet (RFC 8555 §6.2). */
export type JwsIdentity = { readonly kid: string } | { readonly jwk: PublicJwk };

export interface FlattenedJws {
  readonly protected: string;
  readonly payload: string;
  readonly signature: string;
}

export function publicJwk(key: KeyObject): PublicJwk {
  const { kty, crv, x, y, n, e } = (key.type === 'private' ? createPublicKey(key) : key).export({ format: 'jwk' });
  if (kty === 'EC') return { kty, crv: crv!, x: x!, y: y! };
  if (kty === 'OKP') return { kty, crv: crv!, x: x! };
  if (kty === 'RSA') return { kty, n: n!, e: e! };
  throw new Fault({ code: 'invalid_key', detail: `a key of type ${kty} cannot sign`, party: 'us', retry: 'never' });
}

export const thumbprintOf = (key: KeyObject): string => jwkThumbprint(publicJwk(key));

const EC_ALGORITHMS: Record<string, { alg: string; hash: string }> = {
  prime256v1: { alg: 'ES256', hash: 'sha256' },
  secp384r1: { alg: 'ES384', hash: 'sha384' },
  secp521r1: { alg: 'ES512', hash: 'sha512' },
};

/** RFC 7518 §3.1 for the kinds of key that accounts and certificates have. */
function algorithmOf(key: KeyObject): { alg: string; hash: string | null } {
  if (key.asymmetricKeyType === 'ed25519') return { alg: 'EdDSA', hash: null };
  if (key.asymmetricKeyType === 'rsa') return { alg: 'RS256', hash: 'sha256' };
  return EC_ALGORITHMS[key.asymmetricKeyDetails?.namedCurve ?? ''] ?? EC_ALGORITHMS.prime256v1!;
}

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A payload of `''` makes a POST-as-GET (RFC 8555 §6.3). Without a nonce, for the inner JWS of a key change. */
export function signJws(
  key: KeyObject,
  identity: JwsIdentity,
  url: string,
  payload: object | '',
  nonce?: string,
): FlattenedJws {
  const { alg, hash } = algorithmOf(key);
  const header = encode({ alg, ...identity, ...(nonce !== undefined && { nonce }), url });
  const body = payload === '' ? '' : encode(payload);
  // RFC 7518 §3.4: r and s side by side, not DER.
  const signature = sign(hash, Buffer.from(`${header}.${body}`), { key, dsaEncoding: 'ieee-p1363' });
  return { protected: header, payload: body, signature: signature.toString('base64url') };
}

/** External account binding (RFC 8555 §7.3.4): the account's public key, signed with the CA's HMAC key. */
export function bindExternalAccount(
  accountKey: KeyObject,
  url: string,
  eab: { readonly kid: string; readonly hmacKey: Uint8Array },
): FlattenedJws {
  const header = encode({ alg: 'HS256', kid: eab.kid, url });
  const payload = encode(publicJwk(accountKey));
  const signature = createHmac('sha256', eab.hmacKey).update(`${header}.${payload}`).digest('base64url');
  return { protected: header, payload, signature };
}
