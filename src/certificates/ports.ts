import type { KeyObject } from 'node:crypto';
import type { AcmeClient, AcmeClientOptions, ChallengeSolver, Obtained, ObtainRequest } from '../acme-client/index.ts';
import type { Clock, Fault, Logger } from '../base/index.ts';
import type { SecretStore } from '../secrets/index.ts';
import type { Store } from '../store/index.ts';
import type { KeyType } from '../x509/index.ts';

/** Speaking ACME, as acme-client does. */
export interface AcmePort {
  connect(options: AcmeClientOptions): AcmeClient;
  obtain(request: ObtainRequest): Promise<Obtained>;
}

/** Ways to show control of names. */
export interface SolverSource {
  /** At the edge: in order of preference, tls-alpn-01 before http-01. */
  readonly edge: readonly ChallengeSolver[];
  /** Through DNS, with that credential or, without one, with those whose zones cover the names. */
  dns?(options: {
    readonly credentialId?: string;
    readonly names: readonly string[];
  }): Promise<readonly ChallengeSolver[]>;
}

/** What is looked at before an order is spent. */
export interface PreflightPort {
  /**
   * Answers what would make the CA refuse, with words about the rest, and for names whose owner allows some challenge
   * types only (RFC 8657 §4), those. Must be done within seconds.
   */
  check(wish: {
    readonly names: readonly string[];
    readonly issuerId: string;
    readonly challenge: string;
    readonly dnsCredentialId?: string;
    readonly signal: AbortSignal;
  }): Promise<{
    readonly blocking?: Fault;
    readonly words: readonly string[];
    readonly methods: ReadonlyMap<string, readonly string[]>;
  }>;
}

export interface EngineDeps {
  readonly store: Store;
  readonly secrets: SecretStore;
  readonly clock: Clock;
  readonly log: Logger;
  readonly acme: AcmePort;
  readonly solvers: SolverSource;
  readonly preflight?: PreflightPort;
  /** In [0, 1). */
  readonly random?: () => number;
  /** Where new private keys come from. */
  readonly newKey?: (type: KeyType) => Promise<KeyObject>;
}

export interface EngineSettings {
  /** Issuers of a wish that names none. */
  readonly issuers?: readonly string[];
  /** Name of this process among those that share the store. */
  readonly holder?: string;
  /** No other process shares the store, so a lease found at the start is that of a run which was killed. */
  readonly alone?: boolean;
  /** Certificates worked on at once: in all, for one issuer, for one DNS zone. */
  readonly concurrency?: { readonly total: number; readonly issuer: number; readonly zone: number };
  /** How often to look for work that another process left, ms. */
  readonly pollMs?: number;
  readonly leaseMs?: number;
  /** How long a certificate that nothing refers to is kept, ms. */
  readonly graceMs?: number;
  /** Milliseconds for one order. */
  readonly orderMs?: number;
  readonly userAgent?: string;
  /** History kept for each certificate, in events. */
  readonly eventsKept?: number;
  /** How long an expired version and its key are kept, ms. */
  readonly expiredKeptMs?: number;
}

/** Dependencies and settings with nothing left open. */
export type Engine = Required<Omit<EngineDeps, 'preflight'>> & Pick<EngineDeps, 'preflight'> & Required<EngineSettings>;

export const DEFAULTS = {
  issuers: ['letsencrypt-prod'],
  holder: `process-${process.pid}`,
  alone: false,
  concurrency: { total: 64, issuer: 16, zone: 4 },
  pollMs: 2_000,
  leaseMs: 120_000,
  graceMs: 7 * 24 * 3_600_000,
  orderMs: 900_000,
  userAgent: 'gatehouse (ACME client; RFC 8555)',
  eventsKept: 300,
  expiredKeptMs: 30 * 24 * 3_600_000,
} satisfies Required<EngineSettings>;
