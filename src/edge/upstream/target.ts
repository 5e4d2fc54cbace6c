import { Fault } from '../../base/index.ts';
import type { Upstream } from '../../picture/index.ts';

/** Where and how to connect. Two upstreams with the same key share connections. */
export interface Target {
  readonly key: string;
  readonly url: string;
  readonly transport: { readonly path: string } | { readonly host: string; readonly port: number };
  readonly tls:
    | { readonly serverName: string; readonly ca: string | undefined; readonly insecure: boolean }
    | undefined;
  /** `h1`, `h2` by prior knowledge, or what ALPN says. */
  readonly protocol: 'h1' | 'h2' | 'alpn';
  /** The Host of its own. */
  readonly authority: string;
  readonly proxyProtocol: 'v1' | 'v2' | undefined;
}

const DEFAULT_PORTS: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443, 'h2c:': 80 };

/** @throws Fault `invalid_upstream` */
export function parseTarget(upstream: Upstream): Target {
  const { url, tls, proxyProtocol } = upstream;
  const key = JSON.stringify([url, tls ?? null, proxyProtocol ?? null]);
  if (url.startsWith('unix:/')) {
    const path = url.slice('unix:'.length).replace(/^\/\/(?=\/)/, '');
    return { key, url, transport: { path }, tls: undefined, protocol: 'h1', authority: 'localhost', proxyProtocol };
  }
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  const scheme = parsed?.protocol ?? '';
  const defaultPort = DEFAULT_PORTS[scheme];
  if (parsed === undefined || defaultPort === undefined || parsed.hostname === '') {
    throw new Fault({
      code: 'invalid_upstream',
      detail: `the upstream ${url} is not http://, https://, h2c:// or unix:/`,
      party: 'operator',
      retry: 'never',
      field: 'url',
    });
  }
  if (scheme === 'h2c:' && proxyProtocol !== undefined) throw sharedByClients(url);
  const host = parsed.hostname.replace(/^\[|\]$/g, '');
  const port = parsed.port === '' ? defaultPort : Number(parsed.port);
  const secure = scheme === 'https:';
  return {
    key,
    url,
    transport: { host, port },
    tls: secure ? { serverName: tls?.serverName ?? host, ca: tls?.ca, insecure: tls?.insecure ?? false } : undefined,
    // A PROXY header speaks for one client, and HTTP/2 connections serve many.
    protocol: scheme === 'h2c:' ? 'h2' : secure && tls?.http2 !== false && proxyProtocol === undefined ? 'alpn' : 'h1',
    authority: port === (secure ? 443 : 80) ? parsed.hostname : `${parsed.hostname}:${port}`,
    proxyProtocol,
  };
}

const sharedByClients = (url: string) =>
  new Fault({
    code: 'invalid_upstream',
    detail: `the upstream ${url} cannot have a PROXY header: clients share HTTP/2 connections`,
    party: 'operator',
    retry: 'never',
    field: 'proxy_protocol',
  });
