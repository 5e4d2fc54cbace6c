import ipaddr from 'ipaddr.js';

type Block = [ipaddr.IPv4 | ipaddr.IPv6, number];

/** IANA special-purpose registries (RFC 6890 and what was registered since), multicast and reserved space. */
const SPECIAL_V4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.31.196.0/24',
  '192.52.193.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '192.175.48.0/24',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
].map(parse);

/** Everything outside 2000::/3 is refused as a whole; these are the special blocks inside it. */
const SPECIAL_V6 = ['2001::/23', '2001:db8::/32', '2002::/16', '2620:4f:8000::/48', '3fff::/20'].map(parse);
const GLOBAL_V6 = parse('2000::/3');

function parse(text: string): Block {
  return ipaddr.parseCIDR(text);
}

const parsed = new WeakMap<readonly string[], readonly Block[]>();

function blocksOf(cidrs: readonly string[]): readonly Block[] {
  let blocks = parsed.get(cidrs);
  if (blocks === undefined) {
    blocks = cidrs.map(parse);
    parsed.set(cidrs, blocks);
  }
  return blocks;
}

const inBlock = (address: ipaddr.IPv4 | ipaddr.IPv6, block: Block): boolean =>
  address.kind() === block[0].kind() && address.match(block as never);

/**
 * Whether a validator may connect there: a global unicast address, or one in a block that the profile allows. Forms of
 * IPv6 that carry an IPv4 address (mapped, NAT64, 6to4, Teredo) are not global here, and only their own block lets them
 * in, except IPv4-mapped ones, which are judged as the IPv4 address that the kernel would connect to.
 */
export function mayReach(text: string, allowedCidrs: readonly string[]): boolean {
  if (!ipaddr.isValid(text) || text.includes('%')) return false;
  // ::ffff:a.b.c.d is the IPv4 address to the kernel.
  const address = ipaddr.process(text);
  if (blocksOf(allowedCidrs).some((block) => inBlock(address, block))) return true;
  if (address.kind() === 'ipv4') return !SPECIAL_V4.some((block) => inBlock(address, block));
  return inBlock(address, GLOBAL_V6) && !SPECIAL_V6.some((block) => inBlock(address, block));
}
