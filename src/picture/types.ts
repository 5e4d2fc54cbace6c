/** A certificate as the edge serves it. */
export interface ServedCertificate {
  /** Id of the wish; stays the same through renewals. */
  readonly id: string;
  /** Id of the issued version; changes with each. */
  readonly version: string;
  /** DNS names (exact or one wildcard label) and IP addresses that it is served for. */
  readonly names: readonly string[];
  /** PEM: leaf first. */
  readonly chain: string;
  /** PEM, PKCS #8. */
  readonly key: string;
  readonly notBefore: number;
  readonly notAfter: number;
  /** From an issuer that is for trying only. */
  readonly staging?: boolean;
}

/** A challenge that is open, as the edge must answer it. */
export type OpenChallenge =
  | {
      readonly type: 'http-01';
      readonly token: string;
      /** RFC 8555 §8.1. */
      readonly keyAuthorization: string;
      readonly expiresAt: number;
    }
  | {
      readonly type: 'tls-alpn-01';
      /** The name in the handshake: a DNS name, or an address in reverse form (RFC 8738 §6). */
      readonly serverName: string;
      /** PEM of the self-signed challenge certificate (RFC 8737 §3). */
      readonly chain: string;
      readonly key: string;
      readonly expiresAt: number;
    };

/** What a follower has to look at again. */
export interface PictureChange {
  readonly seq: number;
  readonly kind: 'route' | 'certificate';
  /** Route host, or certificate id. */
  readonly key: string;
}
