import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { jwkThumbprint, type PublicJwk } from '../acme/index.ts';
import { weakness } from '../x509/index.ts';
import { Refusal } from './refusal.ts';

/** Flattened JSON serialization with one signature and protected headers only (RFC 8555 §6.2). */
export interface Jws {
  readonly header: JwsHeader;
  readonly payload: Buffer;
  readonly signed: Buffer;
  readonly signature: Buffer;
}

export interface JwsHeader {
  readonly alg: string;
  readonly url: string;
  readonly nonce?: string;
  readonly key: { readonly kind: 'jwk'; readonly jwk: PublicJwk } | { readonly kind: 'kid'; readonly kid: string };
}

export interface AccountKey {
  readonly jwk: PublicJwk;
  readonly thumbprint: string;
  readonly object: KeyObject;
  /** SubjectPublicKeyInfo in DER. */
  readonly spki: Buffer;
}

interface Algorithm {
  readonly digest: string | null;
  readonly fits: (jwk: PublicJwk) => boolean;
}

const curve = (name: string) => (jwk: PublicJwk) => jwk.kty === 'EC' && jwk.crv === name;

/** No "none", no MAC, nothing that a key of another kind could be used with (RFC 8725 §3.1). */
const ALGORITHMS: Record<string, Algorithm> = {
  ES256: { digest: 'sha256', fits: curve('P-256') },
  ES384: { digest: 'sha384', fits: curve('P-384') },
  RS256: { digest: 'sha256', fits: ({ kty }) => kty === 'RSA' },
  EdDSA: { digest: null, fits: (jwk) => jwk.kty === 'OKP' && jwk.crv === 'Ed25519' },
};
export const JWS_ALGORITHMS: readonly string[] = Object.keys(ALGORITHMS);

const BASE64URL = /^[A-Za-z0-9_-]*$/;
const MOST_HEADER = 8 * 1024;
const HEADER_MEMBERS = new Set(['alg', 'nonce', 'url', 'jwk', 'kid', 'typ', 'cty']);

/** Unpadded, canonical base64url (RFC 7515 §2); undefined otherwise. */
export function decodeBase64url(text: unknown): Buffer | undefined {
  if (typeof text !== 'string' || !BASE64URL.test(text) || text.length % 4 === 1) return undefined;
  const bytes = Buffer.from(text, 'base64url');
  // Unused bits of the last character must be zero, or one value would have several spellings.
  return text.length % 4 !== 0 && bytes.toString('base64url') !== text ? undefined : bytes;
}

/** Reads the structure; nothing is verified yet. Throws `malformed` or `badSignatureAlgorithm`. */
export function parseJws(body: unknown, options: { nonce: 'required' | 'absent' } = { nonce: 'required' }): Jws {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw malformed('the body is not a JSON object');
  const members = body as Record<string, unknown>;
  if ('signatures' in members) throw malformed('a JWS here has exactly one signature, in flattened form');
  if ('header' in members) throw malformed('a JWS here has no unprotected header');
  const protectedBytes = decodeBase64url(members.protected);
  const payload = decodeBase64url(members.payload);
  const signature = decodeBase64url(members.signature);
  if (protectedBytes === undefined || payload === undefined || signature === undefined)
    throw malformed('protected, payload and signature are not all base64url without padding');
  if (protectedBytes.length > MOST_HEADER || signature.length > 1024)
    throw malformed('the header or signature is too long');
  return {
    header: parseHeader(protectedBytes, options.nonce),
    payload,
    signed: Buffer.from(`${members.protected as string}.${members.payload as string}`, 'latin1'),
    signature,
  };
}

function parseHeader(bytes: Buffer, nonceRule: 'required' | 'absent'): JwsHeader {
  const header = parseObject(bytes, 'the protected header');
  const { alg, nonce, url, jwk, kid } = header;
  // RFC 7515 §4.1.11 and RFC 7797: `crit` and `b64` change what is signed; none is understood here.
  const strange = Object.keys(header).find((name) => !HEADER_MEMBERS.has(name));
  if (strange === 'crit' || strange === 'b64') throw malformed(`the header parameter ${strange} is not accepted`);
  if (typeof alg !== 'string' || !Object.hasOwn(ALGORITHMS, alg))
    throw new Refusal(
      'badSignatureAlgorithm',
      `the algorithm ${JSON.stringify(alg ?? null)?.slice(0, 40)} is not accepted`,
      {
        algorithms: JWS_ALGORITHMS,
      },
    );
  if (typeof url !== 'string') throw malformed('the header has no url');
  if (nonceRule === 'absent' && nonce !== undefined) throw malformed('the inner JWS must have no nonce');
  if (nonceRule === 'required' && (typeof nonce !== 'string' || !BASE64URL.test(nonce)))
    throw new Refusal('badNonce', 'the header has no nonce in base64url');
  if ((jwk === undefined) === (kid === undefined)) throw malformed('the header must have exactly one of jwk and kid');
  if (jwk !== undefined) return { alg, url, nonce: nonce as string, key: { kind: 'jwk', jwk: parseJwk(jwk) } };
  if (typeof kid !== 'string') throw malformed('kid is not a string');
  return { alg, url, nonce: nonce as string, key: { kind: 'kid', kid } };
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

export function parseObject(bytes: Buffer, what: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(utf8.decode(bytes));
  } catch {
    throw malformed(`${what} is not JSON`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw malformed(`${what} is not a JSON object`);
  return value as Record<string, unknown>;
}

function parseJwk(input: unknown): PublicJwk {
  const bad = (why: string) => new Refusal('badPublicKey', why);
  if (typeof input !== 'object' || input === null) throw bad('jwk is not an object');
  const { kty, crv, x, y, n, e, d } = input as Record<string, unknown>;
  if (d !== undefined) throw bad('the jwk holds a private key, which nobody else should ever see: make a new one');
  const text = (value: unknown, most: number): string => {
    const bytes = decodeBase64url(value);
    if (bytes === undefined || bytes.length === 0 || bytes.length > most)
      throw bad('a member of the jwk is not base64url of a fitting length');
    return value as string;
  };
  if (kty === 'EC' && (crv === 'P-256' || crv === 'P-384')) return { kty, crv, x: text(x, 48), y: text(y, 48) };
  if (kty === 'OKP' && crv === 'Ed25519') return { kty, crv, x: text(x, 32) };
  if (kty === 'RSA') return { kty, n: text(n, 1024), e: text(e, 8) };
  throw bad('account keys are P-256, P-384, Ed25519 or RSA');
}

/** Imports an account key and refuses weak ones. Throws `badPublicKey`. */
export function importAccountKey(jwk: PublicJwk): AccountKey {
  let object: KeyObject;
  try {
    object = createPublicKey({ key: { ...jwk }, format: 'jwk' });
  } catch (cause) {
    throw new Refusal('badPublicKey', 'the jwk is no point or modulus of its kind', {}, cause);
  }
  if (jwk.kty === 'RSA') {
    const { modulusLength = 0, publicExponent = 0n } = object.asymmetricKeyDetails ?? {};
    if (modulusLength < 2048 || modulusLength > 4096 || publicExponent < 3n || publicExponent % 2n === 0n)
      throw new Refusal('badPublicKey', 'RSA account keys have 2048 to 4096 bits and an odd exponent');
  }
  return { jwk, thumbprint: jwkThumbprint(jwk), object, spki: object.export({ format: 'der', type: 'spki' }) };
}

/** For a key that is about to become an account's. Throws `badPublicKey` when others could find the private one. */
export function requireStrongKey({ object }: AccountKey): void {
  const weak = weakness(object);
  if (weak !== undefined) throw new Refusal('badPublicKey', `the account key ${weak}; make a new one`);
}

/** Throws `malformed` when the signature is not by the key, `badSignatureAlgorithm` when the algorithm does not fit it. */
export function verifyJws(jws: Jws, key: AccountKey): void {
  const algorithm = ALGORITHMS[jws.header.alg]!;
  if (!algorithm.fits(key.jwk))
    throw new Refusal('badSignatureAlgorithm', `${jws.header.alg} does not go with this key`, {
      algorithms: JWS_ALGORITHMS,
    });
  const good = verify(algorithm.digest, jws.signed, { key: key.object, dsaEncoding: 'ieee-p1363' }, jws.signature);
  if (!good) throw malformed('the signature is not by this key');
}

const malformed = (detail: string): Refusal => new Refusal('malformed', detail);
