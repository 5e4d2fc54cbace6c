import type { CaaRecord } from './caa.ts';

/** Who answered: the machine's own resolver, one that was configured, or a name server of the zone itself. */
export type View = 'system' | 'resolver' | 'authoritative';

/** What one party answers for a name. */
export interface ViewAnswer {
  readonly view: View;
  /** Name or address of who answered, with the port where it is not 53. */
  readonly server: string;
  readonly addresses: readonly string[];
  /** Aliases in the order they were followed. */
  readonly cname: readonly string[];
  /** `NXDOMAIN`, `SERVFAIL`, `timeout`, in words; absent when it answered. */
  readonly problem?: string;
}

export interface CaaLook {
  /** `example.com. CAA 0 issue "ca.example"`, from the nearest name that has any (RFC 8659 §3). */
  readonly records: readonly string[];
  /** The same, taken apart. */
  readonly found: readonly CaaRecord[];
  /** Why they could not be read, in words: a CA refuses then, too. */
  readonly problem?: string;
}

/** One name as every party sees it. */
export interface NameLook {
  readonly answers: readonly ViewAnswer[];
  readonly caa: CaaLook;
  /** The views that differ, in a sentence; absent when they agree. */
  readonly splitHorizon?: string;
  /** Set when validating resolvers refuse what is there without validation: public CAs refuse such a name. */
  readonly dnssec?: 'broken';
}

/** Neither method throws for what a name server answers, only for defects. */
export interface DnsViews {
  look(name: string, signal: AbortSignal): Promise<NameLook>;
  /** Every TXT value at `name`, from the authoritative servers where they can be asked. */
  txt(name: string, signal: AbortSignal): Promise<readonly string[]>;
}
