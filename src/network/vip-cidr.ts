import type { Problems } from '../base/index.ts';
import type { NetworkRow } from '../store/networks.ts';
import { BITS, parseCidr } from './address.ts';

/**
 * A host CIDR that an operator chose: a /128 within the network's /64, or a /32; one of each, with a comma between them,
 * when the service is to be had in both families. There is no allocator.
 */
export function parseHostCidrs(
  network: Pick<NetworkRow, 'name' | 'ipv6' | 'ipv4'>,
  text: string,
  problems: Problems,
): { ipv6: string | undefined; ipv4: string | undefined } | undefined {
  const example = network.ipv6 !== null ? `a /128 within ${network.ipv6}` : `a /32 within ${network.ipv4}`;
  const found: { ipv6: string | undefined; ipv4: string | undefined } = { ipv6: undefined, ipv4: undefined };
  for (const part of text
    .split(/[\s,]+/)
    .filter((part) => part !== '')
    .slice(0, 3)) {
    const cidr = parseCidr(part);
    const host = cidr !== undefined && cidr.prefix === BITS[cidr.family] && part.includes('/');
    if (!host || found[cidr.family] !== undefined) {
      problems.add(
        'vip_cidr',
        'invalid',
        `${part.slice(0, 60)} is not a host CIDR: give ${example}`,
        'one address, or one IPv6 and one IPv4 with a comma between them; you choose it, there is no allocator',
      );
      return undefined;
    }
    found[cidr.family] = cidr.base;
  }
  if (found.ipv6 === undefined && found.ipv4 === undefined) {
    problems.add('vip_cidr', 'required', `vip_cidr is required: give ${example}`);
    return undefined;
  }
  return found;
}
