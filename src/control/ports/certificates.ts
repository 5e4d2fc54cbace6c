import type { Certificates, MassRevocation } from '../../certificates/index.ts';

export type {
  CertificateEventView as CertificateEvent,
  CertificateVersionView,
  CertificateView,
  RevocationReason,
} from '../../certificates/index.ts';

/** The certificate engine as control needs it. */
export type CertificatePort = Omit<Certificates, 'ensureWithin' | 'releaseWithin' | 'refer' | 'wake'>;

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
  readonly termsUrl?: string;
  readonly termsAgreedAt?: number;
  /** Not asked before this time, and why. */
  readonly heldUntil?: number;
  readonly heldBecause?: string;
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
  /** What is left for these names. */
  quota(id: string, names: readonly string[]): Promise<QuotaView[]>;
  /** Changes our account's key there (RFC 8555 §7.3.5). */
  rollOverKey(id: string): Promise<void>;
}

/** What revoking many would do. */
export type MassRevocationPort = Pick<MassRevocation, 'rehearse'>;
