import { SPLIT_HORIZON_ADVICE } from '../dns/index.ts';
import type { PeerRow } from '../store/peers.ts';

/**
 * What the public internet still lacks before clients reach the host, in words. A certificate by dns-01 needs none of
 * it, so it can be good while nobody outside gets through.
 */
export function lackingReachability(
  hostname: string,
  hub: Pick<PeerRow, 'name' | 'public_ipv6' | 'public_ipv4'>,
  dns: { readonly addresses: readonly string[]; readonly problem?: string },
  isGlobal: (address: string) => boolean,
): string[] {
  const own = [hub.public_ipv4, hub.public_ipv6].filter((address) => address !== null);
  const lacking: string[] = [];
  if (own.length === 0)
    lacking.push(
      `the hub ${hub.name} has no public address on record (public_ipv4, public_ipv6), so nobody outside can reach it`,
    );
  for (const address of own.filter((address) => !isGlobal(address)))
    lacking.push(`${address} of the hub ${hub.name} is not an address that the internet routes`);
  const records = own.map((address) => `${address.includes(':') ? 'AAAA' : 'A'} ${address}`).join(' or ');
  const wanted = records === '' ? 'an A or AAAA record that points at the hub' : `a record ${hostname} ${records}`;
  // RFC 6761 §6.3: such a name is this machine, and no record makes it another.
  if (hostname.endsWith('.localhost')) return lacking;
  if (dns.problem !== undefined)
    lacking.push(`whether ${hostname} has a public record is not known: ${dns.problem}; ${SPLIT_HORIZON_ADVICE}`);
  else if (dns.addresses.length === 0) lacking.push(`${hostname} has no public A or AAAA record: make ${wanted}`);
  else if (own.length > 0) {
    const elsewhere = dns.addresses.filter((address) => !own.includes(address));
    if (elsewhere.length > 0)
      lacking.push(`${hostname} resolves to ${elsewhere.join(', ')}, which is not the hub ${hub.name}: make ${wanted}`);
  }
  return lacking;
}
