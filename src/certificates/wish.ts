import { Fault, type FaultDetails, sha256Hex } from '../base/index.ts';
import type { IssuerRow } from '../store/issuers.ts';
import { KEY_TYPES, type KeyType, parseCertificateName } from '../x509/index.ts';
import type { CertificateWish } from './face.ts';

/** What a certificate is by; two wishes with the same are one certificate. */
export interface Identity {
  /** Sorted, canonical, each once. */
  readonly names: readonly string[];
  readonly issuers: readonly string[];
  readonly keyType: KeyType;
  readonly profile?: string;
}

const MOST_NAMES = 100;
const MOST_ISSUERS = 8;

/** Checks a wish and fills in what it leaves open. Throws a `Fault` that names each field that is wrong. */
export function parseWish(
  wish: CertificateWish,
  known: ReadonlyMap<string, Pick<IssuerRow, 'staging'>>,
  defaults: { readonly issuers: readonly string[]; readonly keyType: KeyType },
): Identity {
  const problems: FaultDetails[] = [];
  const wrong = (field: string, detail: string, advice?: string) =>
    problems.push({ code: 'invalid_wish', detail, party: 'client', retry: 'never', field, advice, status: 422 });
  const names = wish.names.flatMap((name, index) => {
    try {
      return [parseCertificateName(name, `names[${index}]`)];
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      problems.push(error.details);
      return [];
    }
  });
  if (wish.names.length === 0) wrong('names', 'a certificate needs at least one name');
  if (wish.names.length > MOST_NAMES) wrong('names', `more than ${MOST_NAMES} names in one certificate`);
  const issuers = [...new Set(wish.issuers ?? defaults.issuers)];
  const unknown = issuers.filter((id) => !known.has(id));
  if (unknown.length > 0)
    wrong('issuers', `there is no issuer ${unknown.join(', ')}`, `there are ${[...known.keys()].join(', ')}`);
  if (issuers.length === 0 || issuers.length > MOST_ISSUERS) wrong('issuers', `between 1 and ${MOST_ISSUERS} issuers`);
  if (new Set(issuers.map((id) => known.get(id)?.staging)).size > 1 && unknown.length === 0)
    wrong(
      'issuers',
      `${issuers.join(', ')}: staging and production issuers never mix in one certificate`,
      'make one certificate to try with, and another for production',
    );
  const keyType = wish.keyType ?? defaults.keyType;
  if (!KEY_TYPES.includes(keyType)) wrong('key_type', `there is no key type ${keyType}`, KEY_TYPES.join(', '));
  const [first] = problems;
  if (first !== undefined)
    throw new Fault({ ...first, detail: problems.map(({ detail }) => detail).join('; '), problems });
  return {
    names: [...new Set(names)].sort(),
    issuers,
    keyType,
    ...(wish.profile !== undefined && { profile: wish.profile }),
  };
}

export const identityDigest = ({ names, issuers, keyType, profile }: Identity): string =>
  sha256Hex(JSON.stringify(['acme', names, issuers, keyType, profile ?? '']));

/** Bring-your-own certificates are told apart by their names alone: the next upload is the next version. */
export const importedDigest = (names: readonly string[]): string =>
  sha256Hex(JSON.stringify(['imported', [...names].sort()]));
