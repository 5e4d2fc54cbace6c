import ipaddr from 'ipaddr.js';
import { Fault } from '../base/index.ts';
import { type CertificateContent, isWithin, type NameConstraints, OID, writeCertificateBody } from '../x509/index.ts';

declare const linted: unique symbol;
/** A certificate body that has passed the lint. Nothing else can be signed as one (see `signCertificate`). */
export interface LintedBody {
  readonly [linted]: true;
  readonly content: CertificateContent;
  readonly body: Buffer;
}

type Rule = (content: CertificateContent, issuer: LintLimits) => string | undefined;

/** What the signing authority allows. */
export interface LintLimits {
  /** End of the authority's own certificate, milliseconds since the epoch. */
  readonly notAfter: number;
  /** Its own name constraints. */
  readonly constraints?: NameConstraints;
}

const HOST = /^(\*\.)?([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?)(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/;

/** Answers for an authority, and has no name of a host (CA/B BR §7.1.2.8). */
const isOcspResponder = (usages: CertificateContent['extendedKeyUsage']): boolean =>
  usages?.length === 1 && typeof usages[0] === 'object' && usages[0].oid === OID.ocspSigning;

/** One rule a line of RFC 5280 and of the CA/Browser Forum's profile that our settings could break. */
const RULES: Record<string, Rule> = {
  'the serial number is positive, of 8 to 20 bytes (RFC 5280 §4.1.2.2)': ({ serial }) =>
    serial.length >= 8 && serial.length <= 20 && serial[0]! < 0x80 ? undefined : 'serial',
  'the validity ends after it begins, and within that of the issuer': ({ notBefore, notAfter }, issuer) =>
    notAfter > notBefore && notAfter <= issuer.notAfter ? undefined : 'validity',
  'there is a name, and none twice': ({ names, authority, extendedKeyUsage }) => {
    if (authority !== undefined || isOcspResponder(extendedKeyUsage)) return undefined;
    const all = [...(names?.dns ?? []), ...(names?.ip ?? [])];
    return all.length > 0 && new Set(all).size === all.length ? undefined : 'names';
  },
  'each DNS name is a host name of at most 253 characters': ({ names }) =>
    names?.dns.find((name) => name.length > 253 || !HOST.test(name)),
  'each name is within the constraints of the issuer (RFC 5280 §4.2.1.10)': ({ names }, { constraints }) =>
    constraints && [...(names?.dns ?? []), ...(names?.ip ?? [])].find((name) => !isWithin(name, constraints)),
  'each address is one': ({ names }) => names?.ip.find((address) => !ipaddr.isValid(address)),
  'a leaf says what it is for (RFC 5280 §4.2.1.12)': ({ extendedKeyUsage, authority }) =>
    authority !== undefined || (extendedKeyUsage?.length ?? 0) > 0 ? undefined : 'extendedKeyUsage',
  'only an authority signs certificates (RFC 5280 §4.2.1.3)': ({ keyUsage, authority }) =>
    keyUsage.includes('keyCertSign') === (authority !== undefined) ? undefined : 'keyUsage',
  'subjectAltName is critical when the subject is empty (RFC 5280 §4.2.1.6)': ({ subject, subjectIsEmpty }) =>
    subject.length === 2 && subjectIsEmpty !== true ? 'subject' : undefined,
};

/** Checks a body before it is signed; throws a `Fault` of code `lint_failed` that names every rule broken. */
export function lintCertificate(content: CertificateContent, issuer: LintLimits): LintedBody {
  const broken = Object.entries(RULES).flatMap(([rule, check]) => {
    const found = check(content, issuer);
    return found === undefined ? [] : [`${rule}: ${found.slice(0, 260)}`];
  });
  if (broken.length > 0)
    throw new Fault({
      code: 'lint_failed',
      detail: `the certificate was not signed, since it would break: ${broken.join('; ')}`,
      party: 'us',
      retry: 'never',
    });
  return { content, body: writeCertificateBody(content) } as LintedBody;
}
