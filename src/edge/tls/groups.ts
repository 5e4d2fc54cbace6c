import type { ClientHello } from './client-hello.ts';

// TLS Supported Groups registry (RFC 8446 §4.2.7; X25519MLKEM768: draft-ietf-tls-ecdhe-mlkem).
const CODE_POINTS: Readonly<Record<string, number>> = { X25519MLKEM768: 4588, X25519: 29, 'P-256': 23, 'P-384': 24 };

/**
 * The group that OpenSSL takes: of those the client sent a share for, the one that we like best. Node tells a server
 * nothing about it. `other`: none of them, as in TLS 1.2 or after a HelloRetryRequest.
 */
export const groupOf = (hello: ClientHello, groups: readonly string[]): string =>
  groups.find((group) => hello.keyShares.includes(CODE_POINTS[group] ?? -1)) ?? 'other';
