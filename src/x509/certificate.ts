import {
  bitStringBytes,
  children,
  type Element,
  integerBytes,
  notDer,
  oidText,
  readElement,
  sequenceOf,
  timeValue,
} from './der-read.ts';
import {
  type AlternativeNames,
  type Extension,
  readAlternativeNames,
  readAuthorityKeyIdentifier,
  readExtensions,
} from './extensions.ts';
import { OID } from './oids.ts';

/** The fields of a certificate (RFC 5280 §4.1) that we decide by. Nothing is verified by reading it. */
export interface ParsedCertificate {
  readonly der: Buffer;
  /** Content bytes of the serial number. */
  readonly serial: Buffer;
  readonly signatureOid: string;
  /** Issuer and subject names in DER. */
  readonly issuer: Buffer;
  readonly subject: Buffer;
  /** Milliseconds since the epoch; both ends belong to the validity. */
  readonly notBefore: number;
  readonly notAfter: number;
  readonly spki: Buffer;
  readonly names: AlternativeNames;
  readonly authorityKeyIdentifier?: Buffer;
  readonly subjectKeyIdentifier?: Buffer;
  readonly extensions: readonly Extension[];
  /** What the signature is over, and the signature. */
  readonly tbs: Buffer;
  readonly signature: Buffer;
}

const MOST_BYTES = 64 * 1024;

/** Reads a DER certificate of version 3. Throws a `Fault` of code `malformed_der`. */
export function parseCertificate(der: Uint8Array): ParsedCertificate {
  if (der.length > MOST_BYTES) throw notDer('the certificate is larger than 64 KiB');
  const whole = readElement(der);
  const [tbs, algorithm, signature] = sequenceOf(whole, 'the certificate');
  const fields = sequenceOf(tbs, 'the certificate body');
  if (fields[0]?.tag !== 0xa0) throw notDer('the certificate is not of version 3');
  const [, serial, , issuer, validity, subject, spki, ...optional] = fields;
  const [notBefore, notAfter] = sequenceOf(validity, 'the validity');
  const wrapped = optional.find((field: Element) => field.tag === 0xa3);
  const extensions = wrapped === undefined ? [] : readExtensions(children(wrapped)[0] ?? wrapped);
  const extensionValue = (oid: string) => extensions.find((extension) => extension.oid === oid)?.value;
  const alternative = extensionValue(OID.subjectAltName);
  const authorityKey = extensionValue(OID.authorityKeyIdentifier);
  const subjectKey = extensionValue(OID.subjectKeyIdentifier);
  if (issuer === undefined || subject === undefined || spki === undefined)
    throw notDer('the certificate lacks a field');
  return {
    der: whole.whole,
    serial: integerBytes(serial, 'the serial number'),
    signatureOid: oidText(sequenceOf(algorithm, 'the signature algorithm')[0], 'the signature algorithm'),
    issuer: issuer.whole,
    subject: subject.whole,
    notBefore: timeValue(notBefore, 'notBefore'),
    notAfter: timeValue(notAfter, 'notAfter'),
    spki: spki.whole,
    names: alternative === undefined ? { dns: [], ip: [], others: [] } : readAlternativeNames(alternative),
    authorityKeyIdentifier: authorityKey && readAuthorityKeyIdentifier(authorityKey),
    subjectKeyIdentifier: subjectKey && readElement(subjectKey).content,
    extensions,
    tbs: tbs!.whole,
    signature: bitStringBytes(signature, 'the signature'),
  };
}
