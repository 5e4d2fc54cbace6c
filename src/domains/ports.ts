import type { ChallengeType } from '../acme/index.ts';
import type { FaultDetails } from '../base/index.ts';

/** What domains ask of whatever gets certificates. */
export interface CertificateWishes {
  /** Idempotent: the same names and issuers are one certificate. Answers its id. */
  ensure(wish: {
    names: readonly string[];
    issuers?: readonly string[];
    challenge?: ChallengeType;
    dnsCredentialId?: string;
    reference: string;
  }): Promise<string>;
  release(reference: string): Promise<void>;
  renew(id: string): Promise<void>;
  /** Whether a good version exists now. */
  isServed(id: string): Promise<boolean>;
  /** Whether it waits because it failed, and nobody should wait for it. */
  hasFailed(id: string): Promise<boolean>;
}

/** What one party answers for a name. */
export interface ViewAnswer {
  readonly view: 'system' | 'resolver' | 'authoritative';
  /** Address or name of who answered. */
  readonly server: string;
  readonly addresses: readonly string[];
  /** Aliases in the order they were followed. */
  readonly cname: readonly string[];
  /** `NXDOMAIN`, `SERVFAIL`, `timeout`, in words; absent when it answered. */
  readonly problem?: string;
}

export interface NameLook {
  readonly answers: readonly ViewAnswer[];
  readonly caa: { readonly records: readonly string[]; readonly allows?: boolean; readonly detail?: string };
  /** How a resolver of this network and the zone's own servers differ, in a sentence. */
  readonly splitHorizon?: string;
  /** Validating resolvers refuse what is there. */
  readonly dnssec?: 'broken';
}

/** What domains ask of the DNS. Neither method throws for what a name server answers, only for defects. */
export interface DnsViews {
  /** `wish` is how the certificate is asked for, for what CAA says of that; the default issuer where none is named. */
  look(
    name: string,
    signal: AbortSignal,
    wish?: { readonly issuers?: readonly string[]; readonly challenge?: string },
  ): Promise<NameLook>;
  /** Every TXT value at `name`, from the authoritative servers where they can be asked. */
  txt(name: string, signal: AbortSignal): Promise<readonly string[]>;
}

/** The DNS credential that may write into the zone of a name, if there is one: the longest match. */
export interface CredentialChoice {
  credentialFor(name: string): Promise<string | undefined>;
  exists(id: string): Promise<boolean>;
}

export interface DomainSettings {
  /** Apps get `app-{id}.{base domain}`; absent: no automatic names. */
  readonly baseDomain?: string;
  /** Public addresses of the edge; empty: what DNS should say is not known, and nothing waits for it. */
  readonly addresses: readonly string[];
  /** Certificates of domains are left to a cluster's cert-manager, and none is got here. */
  readonly delegated?: boolean;
  /** Absent: certificates are never got on demand. */
  readonly onDemand?: OnDemandSettings;
}

/** A cluster's word on a domain's certificate, where getting it is left to cert-manager. */
export interface DelegatedCertificate {
  /** Name of the Certificate. */
  readonly name: string;
  readonly namespace: string;
  readonly status: 'issued' | 'failed' | 'pending' | 'renewing';
  readonly reason?: string;
  readonly detail?: string;
  /** From the requests, orders and challenges under it; the nearest to the cause last. */
  readonly problems: readonly { readonly kind: string; readonly name: string; readonly detail: string }[];
  readonly notAfter?: number;
  readonly renewAt?: number;
  readonly failedAttempts: number;
}

export interface OnDemandSettings {
  /** Whether new names wait for their first visitor unless they say otherwise. */
  readonly always: boolean;
  /** How long a handshake is held. */
  readonly waitMs: number;
  /** Names that visitors of one address, and visitors of one app, may have certificates got for in an hour. */
  readonly addressAnHour: number;
  readonly appAnHour: number;
  /** URL that is asked with `?domain=` whether a name is wanted; a status of 200 says yes. */
  readonly ask?: string;
}

export type Problem = FaultDetails;
