import { ariCertificateId } from '../acme/index.ts';
import type { ChainFacts } from '../x509/index.ts';

/** RFC 9773 §4.1; null for a leaf without an authority key identifier. */
export function ariIdOf({ leaf }: ChainFacts): string | null {
  return leaf.authorityKeyIdentifier === undefined ? null : ariCertificateId(leaf.authorityKeyIdentifier, leaf.serial);
}
