import type { Clock, Logger } from '../../base/index.ts';
import type { Route } from '../../picture/index.ts';
import type { Counted } from '../limits/counted.ts';
import type { WireSocket } from '../wire/wire-socket.ts';

/**
 * The data plane: everything from an accepted plain or TLS socket onward. What comes before (listening, the handshake,
 * certificates, PROXY protocol) is the listener's, which hands each connection over by `accept`.
 */
export interface Plane {
  /**
   * Takes the connection over for good: reading, writing, timeouts, errors, end. Bytes that the listener read and did
   * not use are put back with `unshift` before.
   */
  accept(socket: WireSocket, info: ConnectionInfo): void;
  /**
   * Whether an address may have one more connection, to ask before a handshake is paid for. Each `true` is given back
   * by one `release`, when the connection ends, handed over or not.
   */
  admit(remoteAddress: string): boolean;
  release(remoteAddress: string): void;
  /** Routes of these hosts changed (as the source names them), or all; costs only what changed. */
  routesChanged(hosts: Iterable<string> | 'all'): void;
  /** From the next request on; connections stay. */
  configure(settings: PlaneSettings): void;
  /**
   * No new requests: idle connections end, HTTP/1.1 answers say `Connection: close`, HTTP/2 gets GOAWAY. Resolves when
   * the last connection has ended, or after `deadlineMs`, when the rest is cut.
   */
  drain(deadlineMs: number): Promise<void>;
  /** What limits counted here since the last call, for the other workers; and what they counted. */
  counted(): Counted;
  heard(counted: Counted): void;
  connections(): ConnectionState[];
  upstreams(): UpstreamState[];
  /** Cuts everything at once. */
  close(): void;
}

export interface PlaneOptions {
  readonly routes: RouteSource;
  readonly settings: PlaneSettings;
  readonly log: Logger;
  readonly clock: Clock;
  readonly observer?: PlaneObserver;
}

export interface RouteSource {
  /**
   * Routes whose `host` is exactly this (a name, or `*.` and a name). Synchronous and cheap: it is asked when a host is
   * first seen, and again after `routesChanged`.
   */
  routesOf(host: string): readonly Route[];
}

/** What may change by a reload. Each has a default in `defaultSettings`. */
export interface PlaneSettings {
  readonly limits: PlaneLimits;
  /** CIDRs of proxies before us whose X-Forwarded-* and Forwarded are believed and appended to. */
  readonly trustedProxies: readonly string[];
  /** The field that carries a request's id to upstreams; a trusted proxy's is kept. `''` for none. */
  readonly requestIdHeader: string;
  /** Who reads what clients send; for connections that are accepted from now on. */
  readonly protocolEngine: ProtocolEngine;
}

/** Our own parsers, or Node's: llhttp and nghttp2. */
export type ProtocolEngine = 'own' | 'node';

export interface PlaneLimits {
  readonly connections: number;
  readonly connectionsPerAddress: number;
  /** Token bucket per address (IPv6 by /64); undefined is no limit. */
  readonly requestsPerAddress: { readonly perSecond: number; readonly burst: number } | undefined;
  /** CIDRs that the two limits per address do not count. */
  readonly exempt: readonly string[];
  readonly headBytes: number;
  readonly headerCount: number;
  readonly bodyBytes: number;
  /** From a request's first byte to the end of its head. */
  readonly headMs: number;
  /** Between two pieces of a request's body. */
  readonly bodyMs: number;
  /** Between requests. */
  readonly idleMs: number;
  readonly requestsPerConnection: number;
  readonly http2: {
    readonly streams: number;
    /** Streams that the client reset, and control frames beyond need, in one window of ten seconds. */
    readonly resets: number;
    readonly controlFrames: number;
  };
  readonly upstream: { readonly connectMs: number; readonly requestMs: number; readonly idleMs: number };
}

export interface ConnectionInfo {
  readonly secure: boolean;
  /** The SNI, lower case; undefined without one. */
  readonly serverName: string | undefined;
  readonly alpn: 'h2' | 'http/1.1' | undefined;
  /** The client's, as told by the PROXY protocol where that is trusted. */
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;
  /** Verified; undefined when none was given. */
  readonly clientCertificate?: ClientIdentity;
  /** Whether the certificate that was shown is good for another host too; without it only the SNI's own is served. */
  readonly covers?: (host: string) => boolean;
  readonly listener: ListenerView;
}

export interface ListenerView {
  /** For log lines and metrics. */
  readonly id: string;
  /** Of a plain listener: what it answers before routes. */
  readonly plain?: {
    /** The https port to redirect to; undefined when there is none. */
    readonly httpsPort: number | undefined;
    /** The key authorization of an open http-01 challenge (RFC 8555 §8.3). */
    challenge(token: string, host: string): string | undefined;
  };
}

/** Handed to upstreams in X-Client-Cert-* fields, which no client can forge. */
export interface ClientIdentity {
  /** RFC 2253 form. */
  readonly subject: string;
  /** `DNS:…`, `URI:…`, `email:…`, as the certificate has them. */
  readonly names: readonly string[];
  readonly serial: string;
  /** SHA-256 of the DER, lower-case hex. */
  readonly fingerprint: string;
}

/** Hooks for metrics and the access log; called synchronously, so they are quick and do not throw. */
export interface PlaneObserver {
  /** A request is over, answered or not. The record is valid during the call only; its texts are made when read. */
  request?(record: RequestRecord): void;
  connection?(change: 'opened' | 'closed', info: ConnectionInfo): void;
  /** A connection or request was turned away by a limit. */
  refused?(reason: RefusalReason, clientAddress: string): void;
  upstreamHealth?(state: UpstreamState): void;
}

export type RefusalReason =
  | 'connections'
  | 'connections_per_address'
  | 'requests_per_address'
  | 'slow_head'
  | 'slow_body'
  | 'malformed'
  | 'head_too_large'
  | 'body_too_large'
  | 'misdirected'
  | 'concurrency'
  | 'http2_flood';

export interface RequestRecord {
  readonly startedAt: number;
  /** Milliseconds, with fractions. */
  readonly durationMs: number;
  readonly protocol: 'HTTP/1.0' | 'HTTP/1.1' | 'HTTP/2.0';
  readonly method: string;
  readonly host: string;
  /** Path and query, as received. */
  readonly target: string;
  /** 0 when the client left before an answer. */
  readonly status: number;
  readonly requestBytes: number;
  readonly responseBytes: number;
  readonly userAgent: string;
  readonly referer: string;
  readonly requestId: string;
  readonly route: Route | undefined;
  /** URL of the upstream that answered. */
  readonly upstream: string | undefined;
  /** Why it failed, in a few words, when it did. */
  readonly problem: string | undefined;
  /** The connection's, or what a trusted proxy says. */
  readonly clientAddress: string;
  readonly connection: ConnectionInfo;
}

export interface ConnectionState {
  readonly listener: string;
  readonly remoteAddress: string;
  readonly protocol: 'HTTP/1.1' | 'HTTP/2.0' | 'upgraded';
  readonly openedAt: number;
  readonly requests: number;
  readonly active: number;
}

export interface UpstreamState {
  readonly url: string;
  readonly healthy: boolean;
  readonly reason: string | undefined;
  readonly active: number;
  readonly idleConnections: number;
}
