import { isIP } from 'node:net';
import { Fault } from '../base/index.ts';

/** A name server to ask: by UDP and TCP at an address, or by HTTPS (RFC 8484). */
export type ServerAddress =
  | { readonly kind: 'plain'; readonly host: string; readonly port: number }
  | { readonly kind: 'https'; readonly url: string };

/**
 * `1.1.1.1`, `1.1.1.1:53`, `[2606:4700:4700::1111]:53` or `https://dns.example/dns-query`. Throws a `Fault` of code
 * `invalid_resolver`.
 */
export function parseServerAddress(text: string, field?: string): ServerAddress {
  const trimmed = text.trim();
  if (trimmed.startsWith('https://') && URL.canParse(trimmed)) return { kind: 'https', url: trimmed };
  if (isIP(trimmed) !== 0) return { kind: 'plain', host: trimmed, port: 53 };
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([0-9.]+))(?::(\d{1,5}))?$/.exec(trimmed);
  const host = match?.[1] ?? match?.[2] ?? '';
  const port = Number(match?.[3] ?? 53);
  if (isIP(host) !== 0 && port > 0 && port < 65536) return { kind: 'plain', host, port };
  throw new Fault({
    code: 'invalid_resolver',
    detail: `${JSON.stringify(text.slice(0, 200))} is not a resolver's address`,
    party: 'operator',
    retry: 'never',
    field,
    advice: 'write 1.1.1.1:53, [2606:4700:4700::1111]:53 or https://dns.example/dns-query',
  });
}

/** As people write it; the port only where it is not 53. */
export function serverLabel(server: ServerAddress): string {
  if (server.kind === 'https') return server.url;
  const host = server.host.includes(':') ? `[${server.host}]` : server.host;
  return server.port === 53 ? server.host : `${host}:${server.port}`;
}
