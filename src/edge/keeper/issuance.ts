import type { KeyObject } from 'node:crypto';

/** How a listener gets certificates: the port that an ACME client is wired to. */
export interface Issuance {
  /** PEM chain, leaf first. Throws the `Fault` of what failed, with whether and when to try again. */
  obtain(request: IssuanceRequest): Promise<string>;
  /** RFC 9773; undefined where the CA has none. */
  renewalWindow(chain: string, signal: AbortSignal): Promise<RenewalWindow | undefined>;
  close(): Promise<void>;
}

export interface IssuanceRequest {
  readonly names: readonly string[];
  readonly key: KeyObject;
  /** PEM chain of the certificate that is replaced. */
  readonly replaces?: string;
  /** URL of an order to go on with. */
  readonly resume?: string;
  /** Told, and awaited, when an order is made. */
  onOrder(url: string): void;
  readonly signal: AbortSignal;
}

export interface RenewalWindow {
  readonly start: number;
  readonly end: number;
  readonly askAgainAt: number;
}
