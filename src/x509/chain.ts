import { createHash, createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';
import { Fault } from '../base/index.ts';
import { type ParsedCertificate, parseCertificate } from './certificate.ts';
import { readElement } from './der-read.ts';
import { readName } from './extensions.ts';
import { keyDigest } from './keys.ts';
import { matchesName } from './names.ts';
import { OID } from './oids.ts';
import { parsePem, pemOf } from './pem.ts';

/** What is said of an issued chain: its leaf's facts and the chain in order. Times are ms since the epoch. */
export interface ChainFacts {
  readonly leaf: ParsedCertificate;
  /** PEM, leaf first, nothing else. */
  readonly pem: string;
  /** DNS names and addresses of the leaf. */
  readonly names: readonly string[];
  /** Hex, two digits a byte, without a leading zero byte. */
  readonly serial: string;
  /** Hex SHA-256 of the leaf. */
  readonly fingerprint: string;
  /** Hex SHA-256 of the leaf's SubjectPublicKeyInfo. */
  readonly keyDigest: string;
  /** Common name (else organization) of the leaf's issuer. */
  readonly issuerName: string;
  /** The same of the last certificate's issuer: what `preferred_chain` is compared with. */
  readonly topIssuerName: string;
  readonly notBefore: number;
  readonly notAfter: number;
}

const MOST_CERTIFICATES = 10;

/** Reads a PEM chain, leaf first. Throws a `Fault` of code `invalid_chain` that names `field`. */
export function parseChain(pem: string, field?: string): ChainFacts {
  const blocks = parsePem('CERTIFICATE', pem);
  if (blocks.length === 0) throw badChain('there is no certificate in PEM', field);
  if (blocks.length > MOST_CERTIFICATES)
    throw badChain(`there are more than ${MOST_CERTIFICATES} certificates in the chain`, field);
  let parsed: ParsedCertificate[];
  try {
    parsed = blocks.map(parseCertificate);
  } catch (error) {
    throw badChain(`a certificate in the chain cannot be read: ${(error as Error).message}`, field);
  }
  const leaf = parsed[0]!;
  return {
    leaf,
    pem: blocks.map((der) => pemOf('CERTIFICATE', der)).join(''),
    names: [...leaf.names.dns, ...leaf.names.ip],
    serial: leaf.serial.toString('hex').replace(/^00(?=..)/, ''),
    fingerprint: createHash('sha256').update(leaf.der).digest('hex'),
    keyDigest: createHash('sha256').update(leaf.spki).digest('hex'),
    issuerName: nameText(leaf.issuer),
    topIssuerName: nameText(parsed.at(-1)!.issuer),
    notBefore: leaf.notBefore,
    // RFC 5280 §4.1.2.5: the second named by notAfter still belongs to the validity.
    notAfter: leaf.notAfter,
  };
}

/** Checks that a chain is for these names and this key, and that each certificate was signed by the next. */
export function checkChain(facts: ChainFacts, expected: { names?: readonly string[]; key: KeyObject }, field?: string) {
  if (facts.keyDigest !== keyDigest(expected.key))
    throw badChain('the certificate is for another key than the one given', field);
  const missing = (expected.names ?? []).filter((name) => !facts.names.some((own) => matchesName(own, name)));
  if (missing.length > 0) throw badChain(`the certificate does not cover ${missing.join(', ')}`, field);
  const chain = parsePem('CERTIFICATE', facts.pem).map((der) => new X509Certificate(der));
  chain.slice(0, -1).forEach((certificate, index) => {
    const issuer = chain[index + 1]!;
    if (!certificate.checkIssued(issuer) || !certificate.verify(issuer.publicKey))
      throw badChain(`certificate ${index + 2} of the chain did not issue the one before it`, field);
  });
}

/** Public key of the leaf. */
export const leafKey = (facts: ChainFacts): KeyObject =>
  createPublicKey({ key: facts.leaf.spki, format: 'der', type: 'spki' });

function nameText(der: Buffer): string {
  const attributes = readName(readElement(der));
  const pick = (type: string) => attributes.find(([found]) => found === type)?.[1];
  return pick(OID.commonName) ?? pick(OID.organizationName) ?? attributes.map(([, text]) => text).join(', ');
}

function badChain(detail: string, field?: string): Fault {
  return new Fault({ code: 'invalid_chain', detail, party: 'client', retry: 'never', field, status: 422 });
}
