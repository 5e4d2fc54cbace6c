/** A profile of our ACME server, in SPEC.md's shape; what is not given takes the server's defaults. */
export interface AcmeProfileInput {
  readonly id: string;
  readonly authMode: 'challenge' | 'trust_authenticated';
  readonly eabRequired: boolean;
  readonly default: boolean;
  readonly validation: {
    readonly httpPort: number;
    readonly tlsPort: number;
    readonly allowedCidrs: readonly string[];
    readonly resolvers: readonly string[];
  };
  readonly names: { readonly allow: readonly string[]; readonly deny: readonly string[] };
  readonly maxTtlSeconds: number;
  /** Everything else that the server's own schema knows. */
  readonly extra: Readonly<Record<string, unknown>>;
}

export interface AcmeProfileView extends AcmeProfileInput {
  readonly directory: string;
  readonly createdAt: number;
  readonly updatedAt: number;
}

export interface EabKeyView {
  readonly id: string;
  readonly profile: string;
  readonly label?: string;
  readonly allow: readonly string[];
  readonly boundAccount?: string;
  readonly expiresAt?: number;
  readonly revokedAt?: number;
  readonly createdAt: number;
}

export interface AcmeAccountView {
  readonly id: string;
  readonly profile: string;
  readonly status: 'valid' | 'deactivated' | 'revoked';
  readonly contact: readonly string[];
  readonly eabKeyId?: string;
  readonly orders: number;
  readonly createdAt: number;
}

/** The ACME server and its authority, as control administers them. Each checks its input and throws a `Fault` by field. */
export interface AcmeServerPort {
  listProfiles(): Promise<AcmeProfileView[]>;
  getProfile(id: string): Promise<AcmeProfileView | undefined>;
  putProfile(input: AcmeProfileInput): Promise<AcmeProfileView>;
  removeProfile(id: string): Promise<void>;
  listEabKeys(profile: string, page: { after?: string; limit: number }): Promise<EabKeyView[]>;
  /** The HMAC key (base64url) is answered here and never again. */
  createEabKey(
    profile: string,
    input: { label?: string; allow?: readonly string[]; expiresAt?: number },
  ): Promise<{ key: EabKeyView; hmacKey: string }>;
  revokeEabKey(profile: string, id: string): Promise<void>;
  listAccounts(filter: { profile?: string }, page: { after?: string; limit: number }): Promise<AcmeAccountView[]>;
  deactivateAccount(id: string): Promise<void>;
  /** PEM of the root, and of the intermediates. */
  rootPem(): Promise<string>;
}
