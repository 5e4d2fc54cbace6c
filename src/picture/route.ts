/** Where requests for a host and path prefix go. The one shape of it: publishers render it, the edge follows it. */
export interface Route {
  readonly id: string;
  /** An exact name in A-label form, or `*.` and one (one label deep). */
  readonly host: string;
  /** A path prefix that starts with `/`; matched by whole segments. */
  readonly path: string;
  readonly upstreams: readonly Upstream[];
}

export interface Upstream {
  /** `http://host:port`, `https://host:port`, `h2c://host:port` or `unix:/path/to.sock`. */
  readonly url: string;
  /** Share of requests against the others; 1 when absent. */
  readonly weight?: number;
}
