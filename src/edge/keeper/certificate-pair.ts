import { Fault } from '../../base/index.ts';
import type { ServedCertificate } from '../../picture/index.ts';
import { type ChainFacts, checkChain, keyPem, parseChain, parsePrivateKey } from '../../x509/index.ts';

/** A chain and the key that belongs to it, read and checked against each other. */
export interface CertificatePair {
  readonly facts: ChainFacts;
  /** PEM, PKCS #8. */
  readonly key: string;
}

/** Throws a `Fault` that says what is wrong with them. */
export function readPair(chain: string, key: string): CertificatePair {
  const facts = parseChain(chain);
  const parsed = parsePrivateKey(key);
  checkChain(facts, { key: parsed });
  if (facts.names.length === 0)
    throw new Fault({
      code: 'invalid_chain',
      detail: 'the certificate has no subjectAltName, so it is for no name (RFC 9525 §6.3)',
      party: 'operator',
      retry: 'never',
    });
  return { facts, key: keyPem(parsed) };
}

export const servedAs = (id: string, { facts, key }: CertificatePair): ServedCertificate => ({
  id,
  version: facts.fingerprint,
  names: facts.names.map((name) => name.toLowerCase()),
  chain: facts.pem,
  key,
  notBefore: facts.notBefore,
  notAfter: facts.notAfter,
});

export const isInTime = ({ facts }: { facts: Pick<ChainFacts, 'notBefore' | 'notAfter'> }, now: number): boolean =>
  facts.notBefore <= now && now < facts.notAfter;
