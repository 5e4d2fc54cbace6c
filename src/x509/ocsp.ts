import { createHash } from 'node:crypto';
import {
  children,
  type Element,
  expectTag,
  integerBytes,
  notDer,
  oidText,
  readElement,
  sequenceOf,
} from './der-read.ts';
import {
  bitString,
  element,
  enumerated,
  explicit,
  generalizedTime,
  implicit,
  octetString,
  oid,
  sequence,
  TAG,
} from './der-write.ts';
import { readExtensions, writeExtension } from './extensions.ts';
import { OID } from './oids.ts';
import { algorithmIdentifier, type SignatureAlgorithm } from './signature.ts';

/** One certificate that a client asks about (RFC 6960 §4.1.1). */
export interface OcspCertId {
  readonly hash: 'sha1' | 'sha256';
  readonly issuerNameHash: Buffer;
  readonly issuerKeyHash: Buffer;
  /** Content bytes. */
  readonly serial: Buffer;
  /** The identifier as it was sent, to be sent back. */
  readonly whole: Buffer;
}

export interface OcspRequest {
  readonly certificates: readonly OcspCertId[];
  /** Value of the nonce extension, DER (RFC 9654). */
  readonly nonce?: Buffer;
}

const MOST_CERTIFICATES = 10;
const MOST_BYTES = 4096;
const HASHES: Record<string, 'sha1' | 'sha256'> = { [OID.sha1]: 'sha1', [OID.sha256]: 'sha256' };

/** Throws a `Fault` of code `malformed_der`. */
export function parseOcspRequest(der: Uint8Array): OcspRequest {
  if (der.length > MOST_BYTES) throw notDer('the OCSP request is too long');
  const [tbs] = sequenceOf(readElement(der), 'the OCSP request');
  const parts = sequenceOf(tbs, 'the request body');
  const list = sequenceOf(
    parts.find(({ tag }) => tag === TAG.sequence),
    'the list of requests',
  );
  if (list.length === 0 || list.length > MOST_CERTIFICATES)
    throw notDer(`an OCSP request is for 1 to ${MOST_CERTIFICATES} certificates`);
  const wrapped = parts.find(({ tag }) => tag === 0xa2);
  const extensions = wrapped === undefined ? [] : readExtensions(children(wrapped)[0] ?? wrapped);
  const nonce = extensions.find((extension) => extension.oid === OID.ocspNonce)?.value;
  // RFC 9654 §2.1: 1 to 128 bytes.
  if (nonce !== undefined && (nonce.length < 3 || nonce.length > 131)) throw notDer('an OCSP nonce has 1 to 128 bytes');
  return { certificates: list.map((request) => certId(sequenceOf(request, 'a request')[0])), nonce };
}

function certId(found: Element | undefined): OcspCertId {
  const [algorithm, name, key, serial] = sequenceOf(found, 'a certificate identifier');
  const hash = HASHES[oidText(sequenceOf(algorithm, 'the hash algorithm')[0], 'the hash algorithm')];
  if (hash === undefined) throw notDer('only SHA-1 and SHA-256 are known as hashes of OCSP identifiers');
  return {
    hash,
    issuerNameHash: expectTag(name, TAG.octetString, 'issuerNameHash').content,
    issuerKeyHash: expectTag(key, TAG.octetString, 'issuerKeyHash').content,
    serial: integerBytes(serial, 'the serial number'),
    whole: found!.whole,
  };
}

/** Whether the identifier is of a certificate under this issuer. `keyBits` are those of its public key. */
export function isIssuedBy(id: OcspCertId, issuerName: Uint8Array, keyBits: Uint8Array): boolean {
  const digest = (bytes: Uint8Array) => createHash(id.hash).update(bytes).digest();
  return digest(issuerName).equals(id.issuerNameHash) && digest(keyBits).equals(id.issuerKeyHash);
}

export type OcspStatus =
  | { readonly kind: 'good' }
  | { readonly kind: 'revoked'; readonly at: number; readonly reason: number }
  | { readonly kind: 'unknown' };

export interface OcspAnswer {
  /** SHA-1 of the responder's key bits: its KeyHash (RFC 6960 §4.2.1). */
  readonly responderKeyHash: Uint8Array;
  readonly producedAt: number;
  readonly answers: readonly { id: OcspCertId; status: OcspStatus; thisUpdate: number; nextUpdate: number }[];
  readonly nonce?: Uint8Array;
}

/** ResponseData in DER: what is signed. */
export function writeOcspBody(answer: OcspAnswer): Buffer {
  const responses = answer.answers.map(({ id, status, thisUpdate, nextUpdate }) =>
    sequence(id.whole, certStatus(status), generalizedTime(thisUpdate), explicit(0, generalizedTime(nextUpdate))),
  );
  return sequence(
    explicit(2, octetString(answer.responderKeyHash)),
    generalizedTime(answer.producedAt),
    sequence(...responses),
    ...(answer.nonce === undefined ? [] : [explicit(1, sequence(writeExtension(OID.ocspNonce, answer.nonce)))]),
  );
}

function certStatus(status: OcspStatus): Buffer {
  if (status.kind === 'good') return implicit(0, Buffer.alloc(0));
  if (status.kind === 'unknown') return implicit(2, Buffer.alloc(0));
  const reason = status.reason === 0 ? [] : [explicit(0, enumerated(status.reason))];
  return element(0xa1, generalizedTime(status.at), ...reason);
}

/** A successful OCSPResponse around a signed body; `certificates` (DER) are those of a responder that is not the issuer. */
export function writeOcspResponse(
  body: Uint8Array,
  algorithm: SignatureAlgorithm,
  signature: Uint8Array,
  certificates: readonly Uint8Array[] = [],
): Buffer {
  const sent = certificates.length === 0 ? [] : [explicit(0, sequence(...certificates))];
  const basic = sequence(body, algorithmIdentifier(algorithm), bitString(signature), ...sent);
  return sequence(enumerated(0), explicit(0, sequence(oid(OID.ocspBasic), octetString(basic))));
}

/** An answer without a body: malformedRequest (1), internalError (2), unauthorized (6) (RFC 6960 §4.2.1). */
export const writeOcspError = (status: 1 | 2 | 6): Buffer => sequence(enumerated(status));
