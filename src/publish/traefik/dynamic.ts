// The parts of Traefik 3's dynamic configuration that we write, in its own words.

export interface Dynamic {
  readonly http?: {
    readonly routers?: Readonly<Record<string, HttpRouter>>;
    readonly services?: Readonly<Record<string, HttpService>>;
    readonly middlewares?: Readonly<Record<string, Middleware>>;
    readonly serversTransports?: Readonly<Record<string, ServersTransport>>;
  };
  readonly tcp?: {
    readonly routers?: Readonly<Record<string, TcpRouter>>;
    readonly services?: Readonly<Record<string, TcpService>>;
  };
  readonly tls?: {
    readonly certificates?: readonly { readonly certFile: string; readonly keyFile: string }[];
    readonly options?: Readonly<Record<string, TlsOptions>>;
  };
}

export interface HttpRouter {
  readonly rule: string;
  readonly priority: number;
  readonly entryPoints: readonly string[];
  readonly service: string;
  readonly middlewares?: readonly string[];
  readonly tls?: { readonly options?: string };
}

export interface HttpService {
  readonly loadBalancer: {
    readonly servers: readonly { readonly url: string; readonly weight?: number }[];
    readonly passHostHeader: boolean;
    readonly strategy?: 'wrr' | 'p2c';
    readonly healthCheck?: {
      readonly path: string;
      readonly interval?: string;
      readonly timeout?: string;
      readonly status?: number;
    };
    readonly passiveHealthCheck?: { readonly failureWindow?: string; readonly maxFailedAttempts?: number };
    readonly serversTransport?: string;
  };
}

/** One kind each, with its settings. */
export type Middleware = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

export interface ServersTransport {
  readonly serverName?: string;
  readonly insecureSkipVerify?: boolean;
  /** PEM, or the path of one. */
  readonly rootCAs?: readonly string[];
  readonly disableHTTP2?: boolean;
  readonly forwardingTimeouts?: { readonly dialTimeout?: string; readonly responseHeaderTimeout?: string };
}

export interface TcpRouter {
  readonly rule: string;
  readonly priority: number;
  readonly entryPoints: readonly string[];
  readonly service: string;
  readonly tls: { readonly passthrough: true };
}

export interface TcpService {
  readonly loadBalancer: {
    readonly servers: readonly { readonly address: string }[];
    readonly proxyProtocol?: { readonly version: 1 | 2 };
  };
}

export interface TlsOptions {
  readonly clientAuth?: {
    readonly caFiles: readonly string[];
    readonly clientAuthType: 'RequireAndVerifyClientCert' | 'VerifyClientCertIfGiven';
  };
}

export interface TraefikSettings {
  /** Entry points of Traefik's static configuration; `websecure` and `web` when absent. */
  readonly entryPoints?: { readonly https?: string; readonly http?: string };
  /** PEM, or the path of one as Traefik sees it: who may sign client certificates. */
  readonly clientCa?: string;
  /**
   * URL at which Gatehouse answers http-01 challenges; requests for them on the plain entry point are sent there. Absent:
   * no such router is written.
   */
  readonly challengeResponder?: string;
  /** Whether everything else on the plain entry point is sent to https; false when absent. */
  readonly redirectPlain?: boolean;
}
