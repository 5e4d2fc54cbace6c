import { createHash } from 'node:crypto';

/** The public members of a JWK (RFC 7517), as an ACME account key has them. */
export type PublicJwk =
  | { readonly kty: 'EC'; readonly crv: string; readonly x: string; readonly y: string }
  | { readonly kty: 'OKP'; readonly crv: string; readonly x: string }
  | { readonly kty: 'RSA'; readonly n: string; readonly e: string };

/** SHA-256 thumbprint in base64url (RFC 7638 §3): required members only, in order of their names. */
export function jwkThumbprint(jwk: PublicJwk): string {
  const required =
    jwk.kty === 'RSA'
      ? { e: jwk.e, kty: jwk.kty, n: jwk.n }
      : jwk.kty === 'OKP'
        ? { crv: jwk.crv, kty: jwk.kty, x: jwk.x }
        : { crv: jwk.crv, kty: jwk.kty, x: jwk.x, y: jwk.y };
  return createHash('sha256').update(JSON.stringify(required)).digest('base64url');
}

/** RFC 8555 §8.1. */
export const keyAuthorization = (token: string, thumbprint: string): string => `${token}.${thumbprint}`;

/** The TXT value of dns-01 (RFC 8555 §8.4). */
export const dns01Value = (authorization: string): string =>
  createHash('sha256').update(authorization).digest('base64url');
