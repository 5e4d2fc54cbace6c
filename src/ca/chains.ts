import { type NameConstraints, OID, type ParsedCertificate, readNameConstraints } from '../x509/index.ts';
import type { Authority } from './authority.ts';
import { issuingOf } from './rollover.ts';

/** Every certificate for the authority's key begins a chain: two while one root gives way to another. */
export function chainsOf(authorities: readonly Authority[], authorityId: string): Buffer[][] {
  return certificatesOf(authorities, authorityId).map((authority) => above(authorities, authority));
}

/** The roots at the ends of the chains of what signs now. */
export function rootsOf(authorities: readonly Authority[]): Authority[] {
  const rootOf = (authority: Authority): Authority[] =>
    authority.kind === 'root' ? [authority] : parentOf(authorities, authority).flatMap(rootOf);
  return certificatesOf(authorities, issuingOf(authorities).id).flatMap(rootOf);
}

function certificatesOf(authorities: readonly Authority[], authorityId: string): Authority[] {
  const spki = authorities.find(({ id }) => id === authorityId)?.certificate.spki;
  return spki === undefined ? [] : authorities.filter(({ certificate }) => certificate.spki.equals(spki));
}

const parentOf = (authorities: readonly Authority[], { parentId }: Authority): Authority[] =>
  authorities.filter(({ id }) => id === parentId);

const above = (authorities: readonly Authority[], authority: Authority): Buffer[] =>
  authority.kind === 'root'
    ? []
    : [authority.certificate.der, ...parentOf(authorities, authority).flatMap((parent) => above(authorities, parent))];

const kept = new WeakMap<ParsedCertificate, NameConstraints | undefined>();

/** Those of the certificate itself, parsed once. */
export function constraintsOf(certificate: ParsedCertificate): NameConstraints | undefined {
  if (!kept.has(certificate)) {
    const extension = certificate.extensions.find(({ oid }) => oid === OID.nameConstraints);
    kept.set(certificate, extension && readNameConstraints(extension.value));
  }
  return kept.get(certificate);
}
