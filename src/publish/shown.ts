/** What a client is shown in a handshake. */
export interface Shown {
  /** Hex SHA-256 of the leaf. */
  readonly fingerprint: string;
  readonly serial: string;
  /** Common name (else organization) of the leaf's issuer. */
  readonly issuerName: string;
  readonly notAfter: number;
  readonly selfSigned: boolean;
  /** Hex SHA-256 of what was sent above the leaf, as far as each certificate was issued by the next. */
  readonly above: readonly string[];
}
