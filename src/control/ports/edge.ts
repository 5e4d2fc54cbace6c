/** What the edge's workers count, all together: counters grow until a worker is replaced. */
export interface EdgeNumbers {
  readonly at: number;
  readonly workers: number;
  readonly openConnections: number;
  readonly certificates: number;
  readonly requests: number;
  /** Answers of status 500 and above. */
  readonly errors: number;
  readonly handshakesFailed: number;
  readonly handshakes: readonly {
    readonly version: string;
    readonly kind: string;
    readonly group: string;
    readonly count: number;
  }[];
}

export interface EdgePort {
  /** The last minutes, oldest first. */
  numbers(): readonly EdgeNumbers[];
  /** Prometheus text. */
  metrics(): string;
}
