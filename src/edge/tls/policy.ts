import { constants } from 'node:crypto';
import type { SecureContextOptions } from 'node:tls';

export type TlsVersion = 'TLSv1.2' | 'TLSv1.3';

/** What a listener speaks; the same for every certificate of it. */
export interface TlsPolicy {
  readonly minVersion: TlsVersion;
  readonly maxVersion: TlsVersion;
  /** OpenSSL names of TLS 1.2 suites, first preferred. All of TLS 1.3 is always there (RFC 8446 §9.1). */
  readonly suites: readonly string[];
  /** Key exchange groups, first preferred. */
  readonly groups: readonly string[];
}

/** The TLS 1.2 suites that may be configured: forward secret and authenticated, nothing else (RFC 9325 §4.2). */
export const TLS12_SUITES = [
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
] as const;

const TLS13_SUITES = ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'];

export const GROUPS = ['X25519MLKEM768', 'X25519', 'P-256', 'P-384'] as const;

export const defaultTlsPolicy: TlsPolicy = {
  minVersion: 'TLSv1.2',
  maxVersion: 'TLSv1.3',
  suites: TLS12_SUITES.slice(0, 4),
  groups: GROUPS,
};

export function contextOptions(policy: TlsPolicy): SecureContextOptions {
  return {
    minVersion: policy.minVersion,
    maxVersion: policy.maxVersion,
    ciphers: [...TLS13_SUITES, ...policy.suites].join(':'),
    ecdhCurve: policy.groups.join(':'),
    honorCipherOrder: true,
    // Compression leaks (CRIME), renegotiation is a client's lever on our processor; TLS 1.3 has neither.
    secureOptions: constants.SSL_OP_NO_COMPRESSION | constants.SSL_OP_NO_RENEGOTIATION,
  };
}
