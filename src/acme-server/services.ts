import type { Clock, Logger } from '../base/index.ts';
import type { SecretStore } from '../secrets/index.ts';
import type { CertificateRow } from '../store/ca.ts';
import type { Store } from '../store/index.ts';
import type { ExtendedKeyUsage } from '../x509/index.ts';
import type { AcmeMetrics } from './metrics.ts';
import type { NonceService } from './nonce.ts';
import type { Perspective } from './perspectives.ts';
import type { ProfileSource } from './profile-source.ts';
import type { UpstreamOrders } from './upstream-orders.ts';
import type { ValidationQueue } from './validation-queue.ts';

/** What the server needs of a certificate authority. */
export interface CertificateIssuer {
  /** Signs a leaf; nothing is written. Throws a `Fault` of code `lint_failed` when the result would be wrong. */
  issue(request: {
    readonly spki: Uint8Array;
    readonly spkiHash: string;
    readonly keyIsRsa: boolean;
    readonly dns: readonly string[];
    readonly ip: readonly string[];
    readonly commonName?: string;
    readonly notBefore?: number;
    readonly notAfter: number;
    readonly extendedKeyUsage: readonly ExtendedKeyUsage[];
    readonly mustStaple?: boolean;
    readonly profileId?: string;
    readonly accountId?: string;
    readonly orderId?: string;
  }): Promise<CertificateRow>;
  /** Chains above a leaf of the authority, the preferred one first, DER. */
  chains(authorityId: string): Promise<readonly (readonly Buffer[])[]>;
  /** When what signs now ends, milliseconds since the epoch: no certificate lasts longer. */
  endsAt?(): number;
  /** Why the CA may not sign for a name, in words; undefined when it may. */
  refuseName?(name: string): string | undefined;
  /** Called when the revocation of a certificate has been written. */
  revoked?(certificate: CertificateRow): void;
}

/** What the server needs of the CAs before which a profile may stand as registration authority. */
export interface UpstreamIssuers {
  /** URL of the issuer's directory; undefined when there is no such issuer. */
  directoryOf(issuerId: string): Promise<string | undefined>;
  /** Resolves with the chain in PEM, leaf first. Throws the `Fault` of what failed, in the CA's words. */
  obtain(request: {
    readonly issuerId: string;
    readonly names: readonly string[];
    /** DER. */
    readonly csr: Uint8Array;
    /** URL of an order that was begun before. */
    readonly resume?: string;
    /** Awaited before anything is done with the order. */
    readonly onOrder: (url: string) => Promise<void>;
    readonly signal: AbortSignal;
  }): Promise<string>;
  revoke(issuerId: string, certificate: Uint8Array, reason: number, signal: AbortSignal): Promise<void>;
}

export interface AcmeServerDeps {
  readonly store: Store;
  readonly secrets: SecretStore;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly ca: CertificateIssuer;
  /** Other places from which control is checked, where a profile wants that. */
  readonly perspectives?: readonly Perspective[];
  /** Asked at each use, since it may begin to serve later than this server. */
  readonly upstream?: () => UpstreamIssuers | undefined;
  /** No other process shares the store. */
  readonly alone?: boolean;
  /** Where clients reach the server: `https://host:port`, the canonical one first. Asked at each request. */
  readonly origins: () => readonly [string, ...string[]];
  /** Where other replicas on the same store reach this one (an origin); none when it is the only one. */
  readonly replicaUrl?: () => string | undefined;
  /** Root by which replicas check each other's HTTPS, PEM. */
  readonly replicaRoot?: string;
}

/** What resources are given. */
export interface Services extends AcmeServerDeps {
  readonly metrics: AcmeMetrics;
  readonly nonces: NonceService;
  readonly profiles: ProfileSource;
  readonly validations: ValidationQueue;
  readonly upstreamOrders: UpstreamOrders;
}
