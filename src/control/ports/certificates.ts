import type { FaultDetails } from '../../base/index.ts';

/** SPEC.md's words, exactly. */
export type CertificateStatus = 'pending' | 'issuing' | 'valid' | 'renewing' | 'failed' | 'revoked' | 'expired';

export interface CertificateWish {
  /** Exact names, wildcards or addresses, checked and in canonical form. */
  readonly names: readonly string[];
  /** Issuer ids in order of preference; the engine's default when absent. */
  readonly issuers?: readonly string[];
  readonly challenge?: 'http-01' | 'dns-01' | 'tls-alpn-01';
  readonly dnsCredentialId?: string;
  readonly keyType?: 'ec-p256' | 'ec-p384' | 'rsa-2048' | 'rsa-3072' | 'rsa-4096';
  /** ACME profile to ask the issuer for. */
  readonly profile?: string;
  /** Who needs it: `domain:<id>`, `exposure:<id>`, `person:<token>`. A certificate lives while one is left. */
  readonly reference: string;
}

/** A certificate as the engine knows it, with everything that a person asks about it. Times are ms since the epoch. */
export interface CertificateView {
  readonly id: string;
  readonly names: readonly string[];
  readonly status: CertificateStatus;
  readonly issuers: readonly string[];
  readonly challenge: string;
  readonly keyType: string;
  readonly dnsCredentialId?: string;
  readonly references: readonly string[];
  /** The newest unexpired, unrevoked version. */
  readonly served?: CertificateVersionView;
  /** When the engine means to renew, or to try again. */
  readonly nextAttemptAt?: number;
  /** Failed attempts since the last success. */
  readonly attempts: number;
  readonly lastProblem?: FaultDetails & { readonly at: number };
  /** Where it stands and what comes next, in one or two sentences. */
  readonly summary: string;
  readonly createdAt: number;
  readonly updatedAt: number;
}

export interface CertificateVersionView {
  readonly id: string;
  readonly issuer: string;
  /** From a directory that is for trying only; browsers do not trust it. */
  readonly staging: boolean;
  /** Issuer's common name in the leaf. */
  readonly issuerName: string;
  readonly serial: string;
  /** Hex SHA-256 of the leaf's DER. */
  readonly fingerprint: string;
  readonly notBefore: number;
  readonly notAfter: number;
  readonly issuedAt: number;
  readonly revokedAt?: number;
  readonly revocationReason?: string;
}

/** One line of a certificate's history. */
export interface CertificateEvent {
  readonly seq: number;
  readonly at: number;
  /** `order` `challenge` `validation` `issued` `served` while it is got; `problem` when a step failed; others in words. */
  readonly step: string;
  readonly detail: string;
  readonly problem?: FaultDetails;
}

export interface CertificateFilter {
  readonly statuses?: readonly CertificateStatus[];
  readonly issuer?: string;
  /** Names that begin so. */
  readonly prefix?: string;
  /** Served versions that end before this time. */
  readonly expiresBefore?: number;
  readonly ids?: readonly string[];
}

/** RFC 5280 §5.3.1, in words. */
export const REVOCATION_REASONS = [
  'unspecified',
  'key-compromise',
  'affiliation-changed',
  'superseded',
  'cessation-of-operation',
  'privilege-withdrawn',
] as const;
export type RevocationReason = (typeof REVOCATION_REASONS)[number];

/** The certificate engine as control needs it. */
export interface CertificatePort {
  /** Idempotent; adopts an existing certificate of the same names and issuers. Answers its id. */
  ensure(wish: CertificateWish): Promise<string>;
  /** The reference no longer needs any certificate. */
  release(reference: string): Promise<void>;
  get(id: string): Promise<CertificateView | undefined>;
  getMany(ids: readonly string[]): Promise<CertificateView[]>;
  /** In order of id, those after `after`. */
  list(filter: CertificateFilter, page: { after?: string; limit: number }): Promise<CertificateView[]>;
  counts(): Promise<Record<CertificateStatus, number>>;
  versions(id: string): Promise<CertificateVersionView[]>;
  /** Oldest first, those after `after`. */
  events(id: string, after: number, limit: number): Promise<CertificateEvent[]>;
  /** PEM of the served version, leaf first. */
  chain(id: string): Promise<string | undefined>;
  /** Try at once: renews a good one, retries one that waits. */
  renew(id: string): Promise<void>;
  revoke(id: string, reason: RevocationReason, replace: boolean): Promise<void>;
  /** A certificate of the operator's own. Throws a `Fault` that names the field when chain and key do not fit. */
  upload?(chain: string, key: string, reference: string): Promise<string>;
}

export interface IssuerView {
  readonly id: string;
  readonly directory: string;
  readonly staging: boolean;
  readonly builtIn: boolean;
  readonly contact: readonly string[];
  readonly profile?: string;
  readonly preferredChain?: string;
  readonly eabKeyId?: string;
  readonly hasCaCertificate: boolean;
  readonly accountUrl?: string;
  readonly createdAt: number;
  /** Limits that count here: what is left, and until when. */
  readonly quota: readonly QuotaView[];
}

export interface QuotaView {
  readonly limit: string;
  /** What it is counted by: a registered domain, an account, a set of names. */
  readonly scope: string;
  readonly used: number;
  readonly most: number;
  readonly resetsAt: number;
}

export interface IssuerInput {
  readonly id: string;
  readonly directory: string;
  /** PEM of the roots to trust for the directory's HTTPS. */
  readonly caCertificate?: string;
  readonly contact?: readonly string[];
  readonly profile?: string;
  readonly preferredChain?: string;
  readonly eab?: { readonly keyId: string; readonly hmacKey: string };
  readonly staging?: boolean;
}

export interface IssuerPort {
  list(): Promise<IssuerView[]>;
  get(id: string): Promise<IssuerView | undefined>;
  /** Throws a `Fault` when the directory cannot be read, before anything is kept. */
  put(input: IssuerInput): Promise<IssuerView>;
  remove(id: string): Promise<void>;
}
