import type { CertificateVersionRow } from '../store/certificate-versions.ts';
import type { ChainFacts } from '../x509/index.ts';

/** What a version has from its chain alone, wherever it came from; `now` in ms. */
export const newVersion = (chain: ChainFacts, now: number) =>
  ({
    issuer_name: chain.issuerName,
    chain: chain.pem,
    key_digest: chain.keyDigest,
    serial: chain.serial,
    fingerprint: chain.fingerprint,
    not_before: chain.notBefore,
    not_after: chain.notAfter,
    issued_at: now,
    revoked_at: null,
    revocation_reason: null,
    revocation_told_at: null,
  }) satisfies Partial<CertificateVersionRow>;
