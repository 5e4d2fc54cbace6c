import type { TlsPolicy } from '../tls/policy.ts';

/** What one listener is told; plain data, so that it travels to workers and can be compared. */
export interface ListenerSettings {
  /** For log lines and metrics. */
  readonly id: string;
  readonly tls?: TlsListenerSettings;
  readonly plain?: PlainListenerSettings;
  /** CIDRs whose connections begin with a PROXY protocol header (v1 or v2); from others it is refused. */
  readonly proxyProtocolFrom: readonly string[];
}

export interface TlsListenerSettings {
  readonly policy: TlsPolicy;
  readonly http2: boolean;
  /** Served when the client sends no server name; without it such a handshake is refused. */
  readonly defaultServerName?: string;
  readonly clientCertificates?: ClientCertificateSettings;
  readonly handshakeMs: number;
  /** Per listener; each worker has its part. Undefined is no limit. */
  readonly handshakesPerSecond?: number;
  /** How long a handshake for a routed name waits for its certificate; undefined: it is refused at once. */
  readonly awaitCertificateMs?: number;
}

export interface ClientCertificateSettings {
  readonly mode: 'optional' | 'required';
  /** PEM. */
  readonly ca: string;
}

export interface PlainListenerSettings {
  /** Where https is, for redirects; undefined when nowhere. */
  readonly httpsPort: number | undefined;
}
