import ipaddr from 'ipaddr.js';
import { SPECIAL_V4, SPECIAL_V6 } from './special-purpose.ts';

type Block = [ipaddr.IPv4 | ipaddr.IPv6, number];

const REFUSED_V4 = SPECIAL_V4.map(([block]) => parse(block));
const REFUSED_V6 = SPECIAL_V6.map(([block]) => parse(block));
/** What is outside of it is not handed out as unicast space (RFC 4291 §2.4), so that new blocks are refused unseen. */
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
  if (address.kind() === 'ipv4') return !REFUSED_V4.some((block) => inBlock(address, block));
  return inBlock(address, GLOBAL_V6) && !REFUSED_V6.some((block) => inBlock(address, block));
}
