import ipaddr from 'ipaddr.js';
import type { Identifier } from '../acme/index.ts';
import { parseDnsName } from '../x509/index.ts';

/** An exact name, everything below a suffix (at any depth), every name, or a block of addresses. */
export type NamePattern =
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'below'; readonly suffix: string }
  | { readonly kind: 'any' }
  | { readonly kind: 'block'; readonly block: [ipaddr.IPv4 | ipaddr.IPv6, number] };

/** `shop.corp.example`, `*.corp.example`, `*`, `10.0.0.0/8` or `192.0.2.1`. Throws when it is none of them. */
export function parseNamePattern(text: string): NamePattern {
  if (text === '*') return { kind: 'any' };
  if (text.includes('/')) return { kind: 'block', block: ipaddr.parseCIDR(text) };
  if (ipaddr.isValid(text) && /[.:]/.test(text)) {
    const address = ipaddr.parse(text);
    return { kind: 'block', block: [address, address.kind() === 'ipv4' ? 32 : 128] };
  }
  if (text.startsWith('*.')) return { kind: 'below', suffix: suffixOf(text.slice(2)) };
  return { kind: 'name', name: parseDnsName(text) };
}

// A whole top-level domain (`*.internal`) is a fair thing to allow, although it is no host name.
const suffixOf = (text: string): string => (/^[a-z0-9-]{1,63}$/.test(text) ? text : parseDnsName(text));

const parsed = new WeakMap<readonly string[], readonly NamePattern[]>();

function patternsOf(texts: readonly string[]): readonly NamePattern[] {
  let patterns = parsed.get(texts);
  if (patterns === undefined) {
    patterns = texts.map(parseNamePattern);
    parsed.set(texts, patterns);
  }
  return patterns;
}

/** Whether some pattern covers the identifier; a wildcard identifier is covered by a suffix at or above its own. */
export function isCovered(identifier: Identifier, patterns: readonly string[]): boolean {
  return patternsOf(patterns).some((pattern) => covers(pattern, identifier));
}

/** Whether a certificate for the identifier would be good for a name that some pattern means. */
export function overlaps(identifier: Identifier, patterns: readonly string[]): boolean {
  return patternsOf(patterns).some((pattern) => {
    if (covers(pattern, identifier)) return true;
    if (pattern.kind !== 'name' || identifier.type !== 'dns' || !identifier.value.startsWith('*.')) return false;
    const dot = pattern.name.indexOf('.');
    return pattern.name.slice(dot) === identifier.value.slice(1);
  });
}

function covers(pattern: NamePattern, identifier: Identifier): boolean {
  if (pattern.kind === 'any') return true;
  if (identifier.type === 'ip') {
    if (pattern.kind !== 'block') return false;
    const address = ipaddr.parse(identifier.value);
    return address.kind() === pattern.block[0].kind() && address.match(pattern.block as never);
  }
  if (pattern.kind === 'name') return identifier.value === pattern.name;
  return pattern.kind === 'below' && identifier.value.endsWith(`.${pattern.suffix}`);
}

/** Why the names may not be had under the lists, in words; undefined when they may. Empty `allow` allows everything. */
export function refuseName(
  identifier: Identifier,
  { allow, deny }: { allow: readonly string[]; deny: readonly string[] },
): string | undefined {
  if (deny.length > 0 && overlaps(identifier, deny)) return 'this name is denied by the profile';
  if (allow.length > 0 && !isCovered(identifier, allow)) return 'this name is not among those the profile allows';
  return undefined;
}
