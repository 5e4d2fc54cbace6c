/** One TXT value that a CA will look for. */
export interface DnsChallenge {
  /** The name at which the CA asks, e.g. `_acme-challenge.example.com`; see `challengeRecordName`. */
  readonly recordName: string;
  readonly value: string;
}

export interface DnsPresentation {
  readonly id: string;
  readonly records: readonly DnsRecordPlace[];
}

/** Where a challenge's value is, once delegation by CNAME was followed. */
export interface DnsRecordPlace {
  readonly askedName: string;
  /** Another name than `askedName` where `_acme-challenge` is delegated. */
  readonly name: string;
  readonly zone: string;
  readonly value: string;
  readonly credentialId: string;
}

/** What one server said of one record at its last asking. */
export interface PropagationAnswer {
  readonly name: string;
  readonly value: string;
  readonly role: 'authoritative' | 'resolver';
  readonly server: string;
  /** `present`, or what was there instead. */
  readonly outcome: 'present' | 'absent' | 'unanswered';
  /** `NXDOMAIN`, `SERVFAIL`, `timeout`, or the other values, in words. */
  readonly detail: string;
}

export interface PropagationReport {
  readonly agreed: boolean;
  readonly skipped: boolean;
  readonly rounds: number;
  readonly answers: readonly PropagationAnswer[];
  /** Said when the resolver and the zone's own servers see different worlds. */
  readonly splitHorizon?: string;
}

/** A line of the certificate's history, in words. */
export type OnStep = (words: string) => void;

export interface Dns01Call {
  readonly signal?: AbortSignal;
  readonly onStep?: OnStep;
}

/** Proof of control by TXT records (RFC 8555 §8.4). Every record is noted before it is written, so none is forgotten. */
export interface Dns01 {
  /**
   * Writes every value, at all names at once. `owner` is `certificate:<id>`. Without a credential the one whose zone
   * matches longest is taken. Throws a `Fault` when any cannot be written; what was written is removed again.
   */
  present(
    request: { owner: string; challenges: readonly DnsChallenge[]; credentialId?: string },
    call?: Dns01Call,
  ): Promise<DnsPresentation>;
  /** Until every authoritative server and configured resolver has every value; a `Fault` `dns_not_propagated` else. */
  waitForPropagation(presentation: DnsPresentation, call?: Dns01Call, withinMs?: number): Promise<PropagationReport>;
  /** Removes our values and no others. Idempotent; what cannot be removed now is tried again by `sweep`. */
  cleanUp(presentationId: string): Promise<void>;
  /** Removes what a killed process left behind; answers when to be called again (ms since the epoch), if ever. */
  sweep(signal?: AbortSignal): Promise<number | undefined>;
}
