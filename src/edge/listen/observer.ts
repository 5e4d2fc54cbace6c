/** What a finished handshake can be asked; a `TLSSocket` can. */
export interface SecuredConnection {
  getProtocol(): string | null;
  isSessionReused(): boolean;
}

/** Told about handshakes, for metrics. Called synchronously; quick, and throws nothing. */
export interface HandshakeObserver {
  completed(connection: SecuredConnection, group: string): void;
  /** `reason` is one of a few words, not a stranger's. */
  failed(reason: string): void;
}
