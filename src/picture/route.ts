/**
 * Where requests for a host and path prefix go. The one shape of it: publishers render it, the edge follows it. It is
 * plain JSON; everything but the first four is optional and has the edge's default when absent.
 */
export interface Route {
  readonly id: string;
  /** An exact name in A-label form, lower case, or `*.` and one (one label deep). */
  readonly host: string;
  /** A path prefix that starts with `/`; matched by whole segments, the longest first. */
  readonly path: string;
  readonly upstreams: readonly Upstream[];
  /** `passthrough`: the TLS bytes go to the upstream as they are, chosen by SNI; `path` is then `/`. */
  readonly tls?: 'terminate' | 'passthrough';
  /** Answered by the edge itself; `upstreams` is then empty. */
  readonly redirect?: Redirect;
  /** How one of several upstreams is chosen; `round-robin` when absent. Weights count in both. */
  readonly balance?: 'round-robin' | 'least-connections';
  readonly health?: HealthRules;
  readonly timeouts?: RouteTimeouts;
  readonly limits?: RouteLimits;
  readonly request?: RequestRules;
  readonly response?: ResponseRules;
  /** Whether a request must come over a connection with a verified client certificate; `none` when absent. */
  readonly clientCertificate?: 'none' | 'required';
  /** What a request on the plain listener gets: a 308 to https (when absent), or the same service. */
  readonly plain?: 'redirect' | 'serve';
}

export interface Upstream {
  /** `http://host:port`, `https://host:port`, `h2c://host:port` or `unix:/path/to.sock`. */
  readonly url: string;
  /** Share of requests against the others; 1 when absent, 0 takes it out for new requests. */
  readonly weight?: number;
  /** For https: how the upstream is verified. */
  readonly tls?: UpstreamTls;
  /** A PROXY protocol header with the client's address before each connection's first byte. */
  readonly proxyProtocol?: 'v1' | 'v2';
}

export interface UpstreamTls {
  /** SNI and the name to verify; the URL's host when absent. */
  readonly serverName?: string;
  /** PEM of the roots to trust instead of the system's. */
  readonly ca?: string;
  /** No verification at all. For closed networks only. */
  readonly insecure?: boolean;
  /** HTTP/2 when the upstream offers it by ALPN; true when absent. */
  readonly http2?: boolean;
}

export interface Redirect {
  /** `https://host[:port][/path]`; the request's path and query are appended unless `exact`. */
  readonly to: string;
  readonly status?: 301 | 302 | 303 | 307 | 308;
  readonly exact?: boolean;
}

export interface HealthRules {
  /** Asked at intervals; an upstream that fails is not chosen until it answers again. */
  readonly active?: {
    readonly path: string;
    readonly intervalMs?: number;
    readonly timeoutMs?: number;
    /** Answers in a row that turn it; 2 and 3 when absent. */
    readonly healthyAfter?: number;
    readonly unhealthyAfter?: number;
    /** Accepted status codes; 200–399 when absent. */
    readonly statuses?: readonly number[];
  };
  /** Watched in passing: so many failed connections or answers in a row rest an upstream for a while. */
  readonly passive?: {
    readonly failures?: number;
    readonly restMs?: number;
    /** Answers that count as failures besides connection errors; none when absent. */
    readonly statuses?: readonly number[];
  };
}

/** Milliseconds. */
export interface RouteTimeouts {
  readonly connectMs?: number;
  /** From the request's last byte to the answer's head. */
  readonly requestMs?: number;
  /** Between two pieces of an answer, or of an upgraded connection in both directions. */
  readonly idleMs?: number;
}

export interface RouteLimits {
  /** A longer request body is refused with 413, before it is read when its length is declared. */
  readonly bodyBytes?: number;
  /** So many requests at once; so many more wait, each so long; others get 503. */
  readonly concurrency?: { readonly active: number; readonly queue?: number; readonly waitMs?: number };
}

export interface RequestRules {
  /** The Host the upstream sees: the client's (when absent), its own from the URL, or a fixed one. */
  readonly host?: 'client' | 'upstream' | { readonly fixed: string };
  /** Takes the route's path prefix off before the upstream sees the path. */
  readonly stripPrefix?: boolean;
  readonly headers?: HeaderRules;
}

export interface ResponseRules {
  readonly headers?: HeaderRules;
  readonly hsts?: {
    readonly maxAgeSeconds: number;
    readonly includeSubDomains?: boolean;
    readonly preload?: boolean;
  };
}

export interface HeaderRules {
  /** Replaced or added. Names that frame or route a message cannot be set. */
  readonly set?: Readonly<Record<string, string>>;
  readonly remove?: readonly string[];
}
