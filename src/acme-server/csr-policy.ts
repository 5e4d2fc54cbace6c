import { type Identifier, identifierKey, type ProblemDocument } from '../acme/index.ts';
import { type CertificationRequest, describeKey, EXTENDED_KEY_USAGES, OID, weakness } from '../x509/index.ts';
import type { KeyType, ProfileSettings } from './profile.ts';
import { Refusal, subproblem } from './refusal.ts';

/** What is taken from a request that passed: nothing else of it reaches a certificate. */
export interface AcceptedRequest {
  readonly dns: readonly string[];
  readonly ip: readonly string[];
  readonly commonName?: string;
  readonly mustStaple: boolean;
  readonly keyIsRsa: boolean;
}

/** Checks a request against its order and profile (RFC 8555 §7.4). Throws `badCSR` with a subproblem for each name. */
export function acceptRequest(
  csr: CertificationRequest,
  identifiers: readonly Identifier[],
  settings: ProfileSettings,
): AcceptedRequest {
  const keyIsRsa = requireGoodKey(csr, settings);
  requireSameNames(csr, identifiers);
  requireKnownExtensions(csr, settings);
  const valuesOf = (wanted: Identifier['type']) =>
    identifiers.filter(({ type }) => type === wanted).map(({ value }) => value);
  const dns = valuesOf('dns');
  return {
    dns,
    ip: valuesOf('ip'),
    commonName: commonName(csr, dns, settings.common_name),
    mustStaple: csr.extensions.some(({ oid }) => oid === OID.tlsFeature),
    keyIsRsa,
  };
}

function requireGoodKey({ publicKey, spki }: CertificationRequest, { key_types }: ProfileSettings): boolean {
  const key = describeKey(publicKey, spki);
  if (key === undefined) throw new Refusal('badCSR', 'the key is of a kind that no profile here issues for');
  if (!isAllowed(key, key_types))
    throw new Refusal('badCSR', `this profile issues for ${key_types.join(', ')}, and the key is ${key.name}`);
  const weak = weakness(publicKey);
  if (weak !== undefined) throw new Refusal('badPublicKey', `the key of the request ${weak}; make a new one`);
  return key.kind === 'rsa';
}

function isAllowed(key: { kind: string; name: string; bits: number }, allowed: readonly KeyType[]): boolean {
  if (key.kind !== 'rsa') return allowed.includes(key.name as KeyType);
  const sizes = allowed.flatMap((type) => (type.startsWith('rsa') ? [Number(type.slice(3))] : []));
  return sizes.length > 0 && key.bits >= Math.min(...sizes) && key.bits <= Math.max(...sizes) && key.bits % 8 === 0;
}

/** Exactly the order's names, no more and no fewer; a common name must be one of them. */
function requireSameNames(csr: CertificationRequest, identifiers: readonly Identifier[]): void {
  if (csr.names.others.length > 0)
    throw new Refusal('badCSR', 'subjectAltName has entries other than names and addresses');
  const ordered = byKey(identifiers);
  const asked = byKey([
    ...csr.names.dns.map((value) => ({ type: 'dns', value }) as const),
    ...csr.names.ip.map((value) => ({ type: 'ip', value }) as const),
  ]);
  const problems: ProblemDocument[] = [];
  for (const name of csr.commonNames.map(lowerAscii)) {
    const named = identifiers.find(({ value }) => value === name);
    if (named !== undefined) asked.set(identifierKey(named), named);
    else problems.push(subproblem('badCSR', 'is the common name and not in the order', { type: 'dns', value: name }));
  }
  for (const [key, identifier] of ordered)
    if (!asked.has(key)) problems.push(subproblem('badCSR', 'is in the order and not in the request', identifier));
  for (const [key, identifier] of asked)
    if (!ordered.has(key)) problems.push(subproblem('badCSR', 'is in the request and not in the order', identifier));
  if (problems.length === 0) return;
  const detail = problems.slice(0, 10).map(({ identifier, detail }) => `${identifier?.value.slice(0, 253)} ${detail}`);
  throw new Refusal('badCSR', detail.join('; '), { subproblems: problems });
}

const byKey = (identifiers: readonly Identifier[]): Map<string, Identifier> =>
  new Map(identifiers.map((identifier) => [identifierKey(identifier), identifier]));

/** As names are compared (RFC 4343): a letter beyond ASCII is never one of ASCII (U+212A is no k). */
const lowerAscii = (text: string): string => text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());

/** Extensions that we would have to refuse or silently drop are refused; the usual ones of clients are understood. */
function requireKnownExtensions(csr: CertificationRequest, settings: ProfileSettings): void {
  const understood: readonly string[] = [
    OID.subjectAltName,
    OID.tlsFeature,
    OID.keyUsage,
    OID.extKeyUsage,
    OID.basicConstraints,
    OID.subjectKeyIdentifier,
  ];
  const strange = csr.extensions.find(({ oid, critical }) => critical && !understood.includes(oid));
  if (strange !== undefined)
    throw new Refusal('badCSR', `the request asks for the critical extension ${strange.oid}, which is not issued`);
  if (csr.asksToBeAuthority) throw new Refusal('badCSR', 'the request asks for a CA certificate');
  const allowed: readonly string[] = settings.extended_key_usage.map((usage) => EXTENDED_KEY_USAGES[usage]);
  // Many clients ask for both usages by habit; what counts is that one that the profile gives is among them.
  if (csr.extendedKeyUsage.length > 0 && !csr.extendedKeyUsage.some((usage) => allowed.includes(usage)))
    throw new Refusal(
      'badCSR',
      `the request asks for key usages that this profile does not issue; it issues ${settings.extended_key_usage.join(', ')}`,
    );
}

// An attribute of type commonName has at most 64 characters (RFC 5280 appendix A.1, ub-common-name).
const LONGEST_COMMON_NAME = 64;

function commonName(
  csr: CertificationRequest,
  dns: readonly string[],
  policy: ProfileSettings['common_name'],
): string | undefined {
  if (policy === 'none') return undefined;
  const requested = csr.commonNames.map(lowerAscii)[0];
  if (requested !== undefined && requested.length <= LONGEST_COMMON_NAME) return requested;
  return policy === 'first' ? dns.find((name) => name.length <= LONGEST_COMMON_NAME) : undefined;
}
