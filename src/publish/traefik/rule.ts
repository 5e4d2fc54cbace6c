import type { Route } from '../../picture/index.ts';
import { isWildcard } from '../../x509/index.ts';

// Rules are read by Go's own scanner, so strings in them are Go string literals (Go specification, "String literals").
const PLAIN = /^[\x20-\x5f\x61-\x7e]*$/;

/** `text` as a Go string literal that no content can end early: raw where that is possible, else quoted and escaped. */
export function goString(text: string): string {
  if (PLAIN.test(text)) return `\`${text}\``;
  let quoted = '"';
  for (const character of text) {
    const point = character.codePointAt(0)!;
    if (character === '"' || character === '\\') quoted += `\\${character}`;
    else if (point >= 0x20 && point < 0x7f) quoted += character;
    else if (point >= 0xd800 && point <= 0xdfff) quoted += '\\ufffd';
    else quoted += `\\U${point.toString(16).padStart(8, '0')}`;
  }
  return `${quoted}"`;
}

const regexLiteral = (text: string) =>
  text
    .replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')
    .replaceAll('\\/', '/')
    .replaceAll('\\-', '-');

/** One label in the place of the asterisk, as certificates mean it (RFC 6125 §6.4.3). */
const wildcardRegex = (host: string) => `^[^.]+${regexLiteral(host.slice(1))}$`;

/** Matches a route's requests: its host, and whole segments of its path. */
export function httpRule({ host, path }: Pick<Route, 'host' | 'path'>): string {
  const hostRule = isWildcard(host) ? `HostRegexp(${goString(wildcardRegex(host))})` : `Host(${goString(host)})`;
  if (path === '/') return hostRule;
  if (path.endsWith('/')) return `${hostRule} && PathPrefix(${goString(path)})`;
  // PathPrefix alone compares characters: `/api` would match `/apis` too.
  return `${hostRule} && (Path(${goString(path)}) || PathPrefix(${goString(`${path}/`)}))`;
}

/** Matches a connection by the name in its ClientHello. */
export const sniRule = (host: string): string =>
  isWildcard(host) ? `HostSNIRegexp(${goString(wildcardRegex(host))})` : `HostSNI(${goString(host)})`;

const LONGEST_PATH = 10_000;

/** Exact hosts before wildcards, then longer paths before shorter ones; Traefik's own order is the rule's length. */
export const rulePriority = ({ host, path }: Pick<Route, 'host' | 'path'>): number =>
  (isWildcard(host) ? 1 : 2) * LONGEST_PATH + Math.min(path.length, LONGEST_PATH - 1);
