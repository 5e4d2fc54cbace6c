import type { Party, Problems } from '../base/index.ts';
import type { Db } from '../store/index.ts';
import type { NetworkRow } from '../store/networks.ts';
import type { ChallengeType } from './inputs.ts';

// What publishing a service asks of other engines. main adapts each.

export interface OverlayPort {
  /** The address or addresses of a `vip_cidr`, free and in the network; problems go to `vip_cidr`. */
  virtualAddresses(
    db: Db,
    network: NetworkRow,
    vipCidr: string,
    problems: Problems,
  ): Promise<{ ipv6: string | null; ipv4: string | null } | undefined>;
  /** Whether the internet could route to an address. */
  isGlobal(address: string): boolean;
}

/** A certificate as far as publishing a service cares. Times are ms since the epoch. */
export interface KnownCertificate {
  readonly id: string;
  readonly names: readonly string[];
  readonly status: string;
  /** The issuer of the version that is served, and when that version ends. */
  readonly servedIssuer?: string;
  readonly notAfter?: number;
  /** SHA-256 of the served leaf, hex. */
  readonly fingerprint?: string;
  /** Failed attempts since the last success, and when the engine means to try again. */
  readonly attempts: number;
  readonly nextAttemptAt?: number;
  readonly problem?: {
    /** When it was met. */
    readonly at: number;
    readonly code: string;
    readonly detail: string;
    readonly party: Party;
    readonly advice?: string;
  };
}

export interface CertificateWish {
  readonly names: readonly string[];
  readonly issuers: readonly string[];
  readonly challenge?: ChallengeType;
  readonly dnsCredentialId?: string;
  /** `exposure:<id>`. A certificate lives while something refers to it. */
  readonly reference: string;
}

export interface CertificatePort {
  /** The best that carries this name, or a wildcard for it, and whose first issuer is this one. */
  find(hostname: string, issuer: string): Promise<KnownCertificate | undefined>;
  get(id: string): Promise<KnownCertificate | undefined>;
  /** Idempotent; answers the certificate's id at once, and it is got in the background. */
  ensure(wish: CertificateWish): Promise<string>;
  /** What its engine has said since the line `after`, oldest first. */
  news(
    id: string,
    after: number,
  ): Promise<readonly { readonly line: number; readonly at: number; readonly words: string }[]>;
  /** Tries at once one that waits for its next attempt. */
  tryNow(id: string): Promise<void>;
  /** Needs this very one as well; false when it is not there. */
  refer(id: string, wish: Pick<CertificateWish, 'reference' | 'challenge' | 'dnsCredentialId'>): Promise<boolean>;
  /** The reference needs none any more, or none but `except`. */
  release(reference: string, except?: string): Promise<void>;
}

export interface IssuerPort {
  ids(): Promise<readonly string[]>;
}

export interface KnownCredential {
  readonly id: string;
  readonly name: string;
  readonly provider: string;
  /** Zones it is bound to; empty for all that it can see. */
  readonly zones: readonly string[];
  readonly validation: 'unproven' | 'valid' | 'failed';
  readonly validationDetail?: string;
}

export interface CredentialPort {
  list(): Promise<readonly KnownCredential[]>;
}

export interface PublishPort {
  /** Publishes now, and answers for each publisher whether it has what is wanted for the exposure. */
  compose(exposureId: string): Promise<readonly { publisher: string; delivered: boolean; problem?: string }[]>;
}

export interface AddressLookupPort {
  /** A and AAAA records as the internet sees them; `problem` when the question could not be answered. */
  lookup(hostname: string): Promise<{ addresses: readonly string[]; problem?: string }>;
}

/** A look at the service from outside, as `openssl s_client` and `curl --resolve` would. */
export interface ProbePort {
  look(target: {
    address: string;
    port: number;
    hostname: string;
    protocol: 'http' | 'https';
    signal: AbortSignal;
  }): Promise<ProbeReport>;
}

export interface ProbeReport {
  readonly connected: boolean;
  /** SHA-256 of the leaf that was served, hex; its subject and issuer; the names on it. */
  readonly fingerprint?: string;
  readonly subject?: string;
  readonly issuer?: string;
  readonly names?: readonly string[];
  /** Status of the answer to `GET /`. */
  readonly status?: number;
  /** The answer is the edge's own, which knows of no site by this name. */
  readonly unpublished?: true;
  readonly problem?: string;
}
