import { createHash } from 'node:crypto';
import { bitStringBytes, readElement, sequenceOf } from './der-read.ts';
import {
  bitString,
  boolean,
  element,
  explicit,
  implicit,
  integer,
  octetString,
  oid,
  sequence,
  TAG,
  time,
} from './der-write.ts';
import { uriName, writeAlternativeNames, writeExtension } from './extensions.ts';
import { EXTENDED_KEY_USAGES, type ExtendedKeyUsage, OID } from './oids.ts';
import { algorithmIdentifier, type SignatureAlgorithm } from './signature.ts';

/** Bits of KeyUsage (RFC 5280 §4.2.1.3). */
const KEY_USAGE_BITS = { digitalSignature: 0, keyEncipherment: 2, keyCertSign: 5, cRLSign: 6 } as const;
export type KeyUsage = keyof typeof KEY_USAGE_BITS;

/** Everything that a certificate body says, as data. */
export interface CertificateContent {
  /** Content bytes of the serial number. */
  readonly serial: Uint8Array;
  readonly signature: SignatureAlgorithm;
  /** Names in DER. */
  readonly issuer: Uint8Array;
  readonly subject: Uint8Array;
  /** Whether the subject has no attributes, which makes subjectAltName critical. */
  readonly subjectIsEmpty?: boolean;
  /** Milliseconds since the epoch; both ends belong to the validity. */
  readonly notBefore: number;
  readonly notAfter: number;
  readonly spki: Uint8Array;
  readonly keyUsage: readonly KeyUsage[];
  readonly extendedKeyUsage?: readonly (ExtendedKeyUsage | { oid: string })[];
  readonly authority?: { readonly pathLength?: number };
  readonly names?: { readonly dns: readonly string[]; readonly ip: readonly string[] };
  readonly subjectKeyIdentifier?: Uint8Array;
  readonly authorityKeyIdentifier?: Uint8Array;
  readonly crlUrl?: string;
  readonly ocspUrl?: string;
  readonly issuerUrl?: string;
  readonly policies?: readonly string[];
  readonly nameConstraints?: NameConstraints;
  /** Further extensions in DER, as they are. */
  readonly extra?: readonly Uint8Array[];
}

/** RFC 5280 §4.2.1.10. DNS suffixes without a leading dot; addresses as CIDR blocks in bytes, address then mask. */
export interface NameConstraints {
  readonly permitted: { readonly dns: readonly string[]; readonly ip: readonly Uint8Array[] };
  readonly excluded: { readonly dns: readonly string[]; readonly ip: readonly Uint8Array[] };
}

/** SHA-1 of the key bits (RFC 5280 §4.2.1.2 method 1): an identifier, not a protection. */
export function keyIdentifier(spki: Uint8Array): Buffer {
  return createHash('sha1').update(keyBits(spki)).digest();
}

/** The bits of the key inside a SubjectPublicKeyInfo. */
export function keyBits(spki: Uint8Array): Buffer {
  const [, bits] = sequenceOf(readElement(spki), 'the public key');
  return bitStringBytes(bits, 'the public key');
}

/** TBSCertificate in DER. */
export function writeCertificateBody(content: CertificateContent): Buffer {
  return sequence(
    explicit(0, integer(2)),
    element(TAG.integer, content.serial),
    algorithmIdentifier(content.signature),
    content.issuer,
    sequence(time(content.notBefore), time(content.notAfter)),
    content.subject,
    content.spki,
    explicit(3, sequence(...extensionsOf(content))),
  );
}

/** A signed structure: body, algorithm, signature. */
export const writeSigned = (body: Uint8Array, algorithm: SignatureAlgorithm, signature: Uint8Array): Buffer =>
  sequence(body, algorithmIdentifier(algorithm), bitString(signature));

function extensionsOf(content: CertificateContent): Uint8Array[] {
  const list: Uint8Array[] = [
    writeExtension(OID.keyUsage, keyUsage(content.keyUsage), true),
    writeExtension(OID.basicConstraints, basicConstraints(content.authority), true),
  ];
  if (content.extendedKeyUsage !== undefined && content.extendedKeyUsage.length > 0) {
    const usages = content.extendedKeyUsage.map((u) => oid(typeof u === 'string' ? EXTENDED_KEY_USAGES[u] : u.oid));
    list.push(writeExtension(OID.extKeyUsage, sequence(...usages)));
  }
  if (content.subjectKeyIdentifier !== undefined)
    list.push(writeExtension(OID.subjectKeyIdentifier, octetString(content.subjectKeyIdentifier)));
  if (content.authorityKeyIdentifier !== undefined)
    list.push(writeExtension(OID.authorityKeyIdentifier, sequence(implicit(0, content.authorityKeyIdentifier))));
  const access = accessDescriptions(content);
  if (access.length > 0) list.push(writeExtension(OID.authorityInfoAccess, sequence(...access)));
  if (content.names !== undefined)
    list.push(writeExtension(OID.subjectAltName, writeAlternativeNames(content.names), content.subjectIsEmpty));
  if (content.policies !== undefined && content.policies.length > 0)
    list.push(writeExtension(OID.certificatePolicies, sequence(...content.policies.map((p) => sequence(oid(p))))));
  if (content.crlUrl !== undefined)
    list.push(
      writeExtension(OID.crlDistributionPoints, sequence(sequence(explicit(0, explicit(0, uriName(content.crlUrl)))))),
    );
  if (content.nameConstraints !== undefined)
    list.push(writeExtension(OID.nameConstraints, nameConstraints(content.nameConstraints), true));
  list.push(...(content.extra ?? []));
  return list;
}

function accessDescriptions({ ocspUrl, issuerUrl }: CertificateContent): Buffer[] {
  return [
    ...(ocspUrl === undefined ? [] : [sequence(oid(OID.ocsp), uriName(ocspUrl))]),
    ...(issuerUrl === undefined ? [] : [sequence(oid(OID.caIssuers), uriName(issuerUrl))]),
  ];
}

function keyUsage(usages: readonly KeyUsage[]): Buffer {
  let bits = 0;
  for (const usage of usages) bits |= 0x80 >> KEY_USAGE_BITS[usage];
  // DER: trailing zero bits of a named bit list are left out (X.690 §11.2.2).
  const unused = bits === 0 ? 0 : 31 - Math.clz32(bits & -bits);
  return bitString(Buffer.of(bits), unused);
}

function basicConstraints(authority: CertificateContent['authority']): Buffer {
  if (authority === undefined) return sequence();
  const length = authority.pathLength;
  return length === undefined ? sequence(boolean(true)) : sequence(boolean(true), integer(length));
}

function nameConstraints({ permitted, excluded }: NameConstraints): Buffer {
  const subtrees = (n: number, names: NameConstraints['permitted']) => {
    const bases = [
      ...names.dns.map((name) => implicit(2, Buffer.from(name, 'latin1'))),
      ...names.ip.map((block) => implicit(7, block)),
    ];
    return bases.length === 0 ? [] : [explicit(n, ...bases.map((base) => sequence(base)))];
  };
  return sequence(...subtrees(0, permitted), ...subtrees(1, excluded));
}
