import type { TLSSocket } from 'node:tls';

/** Told about handshakes, for metrics. Called synchronously; quick, and throws nothing. */
export interface HandshakeObserver {
  completed(socket: TLSSocket, group: string): void;
  /** `reason` is one of a few words, not a stranger's. */
  failed(reason: string): void;
}
