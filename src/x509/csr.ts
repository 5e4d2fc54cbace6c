import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import { Fault } from '../base/index.ts';
import {
  bitStringBytes,
  children,
  type Element,
  integerBytes,
  notDer,
  oidText,
  readElement,
  sequenceOf,
} from './der-read.ts';
import { TAG } from './der-write.ts';
import { type AlternativeNames, type Extension, readAlternativeNames, readExtensions, readName } from './extensions.ts';
import { OID } from './oids.ts';
import { verifyBytes } from './signature.ts';

/** What a certification request (RFC 2986) asks for, its signature verified. */
export interface CertificationRequest {
  readonly publicKey: KeyObject;
  /** SubjectPublicKeyInfo in DER. */
  readonly spki: Buffer;
  /** SHA-256 of it, hexadecimal. */
  readonly spkiHash: string;
  /** Common names of the subject, in order. */
  readonly commonNames: readonly string[];
  readonly names: AlternativeNames;
  readonly extensions: readonly Extension[];
  readonly asksToBeAuthority: boolean;
  /** Object identifiers of the key usages that it asks for. */
  readonly extendedKeyUsage: readonly string[];
}

const MOST_BYTES = 64 * 1024;
const NO_NAMES: AlternativeNames = { dns: [], ip: [], others: [] };

/** Reads strict DER and verifies the request's own signature. Throws a `Fault` of code `malformed_der` or `bad_csr`. */
export function parseCertificationRequest(der: Uint8Array): CertificationRequest {
  if (der.length > MOST_BYTES) throw notDer('the request is larger than 64 KiB');
  const [info, algorithm, signature, ...rest] = sequenceOf(readElement(der), 'the request');
  if (rest.length > 0) throw notDer('the request has more than three parts');
  const [version, subject, spki, attributes] = sequenceOf(info, 'the request info');
  if (integerBytes(version, 'the version').toString('hex') !== '00') throw notDer('the version is not 0');
  if (subject === undefined || spki === undefined) throw notDer('the request info lacks a subject or a key');
  const [algorithmOid] = sequenceOf(algorithm, 'the signature algorithm');
  const publicKey = importSpki(spki);
  const known = oidText(algorithmOid, 'the signature algorithm');
  if (!verifyBytes(known, info!.whole, publicKey, bitStringBytes(signature, 'the signature')))
    throw badCsr('the request is not signed by the key inside it, or by an algorithm that is not accepted here');
  const extensions = attributes?.tag === 0xa0 ? requestedExtensions(children(attributes)) : [];
  const requested = (oid: string) => extensions.find((extension) => extension.oid === oid)?.value;
  const alternative = requested(OID.subjectAltName);
  const constraints = requested(OID.basicConstraints);
  const usages = requested(OID.extKeyUsage);
  return {
    publicKey,
    spki: spki.whole,
    spkiHash: createHash('sha256').update(spki.whole).digest('hex'),
    commonNames: readName(subject).flatMap(([type, text]) => (type === OID.commonName ? [text] : [])),
    names: alternative === undefined ? NO_NAMES : readAlternativeNames(alternative),
    extensions,
    asksToBeAuthority:
      constraints !== undefined && children(readElement(constraints)).some(({ tag }) => tag === TAG.boolean),
    extendedKeyUsage:
      usages === undefined
        ? []
        : sequenceOf(readElement(usages), 'extKeyUsage').map((usage) => oidText(usage, 'a key usage')),
  };
}

function requestedExtensions(attributes: ReturnType<typeof children>): Extension[] {
  for (const attribute of attributes) {
    const [type, values] = sequenceOf(attribute, 'an attribute');
    if (oidText(type, 'an attribute type') !== OID.extensionRequest || values === undefined) continue;
    const [list, ...more] = children(values);
    if (list === undefined || more.length > 0) throw notDer('the extension request has not exactly one value');
    return readExtensions(list);
  }
  return [];
}

function importSpki(spki: Element): KeyObject {
  let key: KeyObject;
  try {
    key = createPublicKey({ key: spki.whole, format: 'der', type: 'spki' });
  } catch (cause) {
    throw new Fault(
      { code: 'bad_csr', detail: 'the public key of the request cannot be read', party: 'client', retry: 'never' },
      cause,
    );
  }
  if (!isInUsualForm(key, spki))
    throw badCsr(
      'the public key is not in the usual form: a named curve and an uncompressed point, or an RSA key in DER',
    );
  return key;
}

const UNCOMPRESSED = 0x04;

/**
 * Whether the key is spelled in its one usual form. A key is known again by the hash of its bytes (one that was
 * compromised, that of an account), and parameters of a curve are not for certificates (RFC 5480 §2.1.1, §2.2).
 */
function isInUsualForm(key: KeyObject, spki: Element): boolean {
  if (key.asymmetricKeyType !== 'ec') return key.export({ format: 'der', type: 'spki' }).equals(spki.whole);
  const [algorithm, point] = sequenceOf(spki, 'the public key');
  const [, curve] = sequenceOf(algorithm, 'the algorithm of the public key');
  return curve?.tag === TAG.oid && bitStringBytes(point, 'the public key')[0] === UNCOMPRESSED;
}

export function badCsr(detail: string): Fault {
  return new Fault({ code: 'bad_csr', detail, party: 'client', retry: 'never', status: 400 });
}
