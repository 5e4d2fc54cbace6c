import { sha256Hex } from '../../base/index.ts';
import type { RouteGroup } from '../route-group.ts';

// A Service is named by a label of 63 characters (RFC 1123), and some of ours get a number after the name.
const LONGEST = 58;
const HASH_LENGTH = 8;

/**
 * `cert-{app id}-{domain with dots as dashes}`, and so on for other prefixes. Where that is too long, or another item has
 * it already (`a-b.example.com` and `a.b.example.com` come to the same), the end is a hash of the item.
 */
export function resourceName(
  prefix: string,
  group: Pick<RouteGroup, 'host' | 'origin'>,
  isTaken: (name: string) => boolean,
): string {
  const owner = group.origin.kind === 'domain' ? group.origin.appId : 'exposure';
  const plain = dashed(`${prefix}-${owner}-${group.host}`);
  if (plain.length <= LONGEST && !isTaken(plain)) return plain;
  const hash = sha256Hex(`${owner}/${group.host}`).slice(0, HASH_LENGTH);
  return `${plain.slice(0, LONGEST - HASH_LENGTH - 1).replace(/-+$/, '')}-${hash}`;
}

/** What an object's name may have (RFC 1123): lower case letters, digits and dashes. */
export const dashed = (text: string): string =>
  text
    .toLowerCase()
    .replace('*', 'wildcard')
    .replaceAll(/[^a-z0-9-]/g, '-');
