import { isIP } from 'node:net';
import type { Fault } from '../base/index.ts';
import { invalid } from './context.ts';

export interface ParsedUpstream {
  readonly url: string;
  readonly weight?: number;
}

const SCHEMES: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443, 'h2c:': 80 };

/** Checks upstreams as a person gives them. Throws a `Fault` that names the entry. */
export function parseUpstreams(given: readonly (string | { url: string; weight?: number })[]): ParsedUpstream[] {
  const seen = new Set<string>();
  return given.map((entry, index) => {
    const { url, weight } = typeof entry === 'string' ? { url: entry, weight: undefined } : entry;
    const field = typeof entry === 'string' ? `upstreams[${index}]` : `upstreams[${index}].url`;
    const parsed = parseUpstreamUrl(url, field);
    if (seen.has(parsed))
      throw invalid(field, 'duplicate_upstream', `${parsed} is given twice`, 'give it a weight instead');
    seen.add(parsed);
    return weight === undefined ? { url: parsed } : { url: parsed, weight };
  });
}

function parseUpstreamUrl(text: string, field: string): string {
  const refuse = (why: string): Fault =>
    invalid(
      field,
      'invalid_upstream',
      `${JSON.stringify(text.slice(0, 200))} ${why}`,
      'give http://host:port, https://host:port, h2c://host:port or unix:/path/to.sock',
    );
  if (text.startsWith('unix:')) {
    const path = text.slice('unix:'.length);
    // sun_path has 108 bytes with its final NUL (unix(7)).
    if (!/^\/[^\p{Cc}]+$/u.test(path) || Buffer.byteLength(path) > 107) throw refuse('is no absolute socket path');
    return text;
  }
  const parsed = URL.parse(text);
  if (parsed === null) throw refuse('is no URL');
  if (!Object.hasOwn(SCHEMES, parsed.protocol)) throw refuse(`has the scheme ${parsed.protocol} which is not served`);
  if (parsed.username !== '' || parsed.password !== '')
    throw refuse('carries a user name or password, which would be shown');
  if (parsed.search !== '' || parsed.hash !== '') throw refuse('has a query or fragment, where host and port are due');
  if (parsed.pathname !== '' && parsed.pathname !== '/') throw refuse('has a path, where host and port are due');
  const host = parsed.hostname.replace(/^\[|\]$/g, '');
  if (host === '' || (isIP(host) === 0 && !/^[a-z0-9]([a-z0-9._-]{0,251}[a-z0-9])?$/i.test(host)))
    throw refuse('has no host that could be reached');
  if (parsed.port === '0') throw refuse('has port 0');
  return `${parsed.protocol}//${parsed.host.toLowerCase()}`;
}
