import ipaddr from 'ipaddr.js';

export type Family = 'ipv6' | 'ipv4';

/** A range of addresses in canonical text: `fd42::/64`, no bit set behind the prefix. */
export interface Cidr {
  readonly family: Family;
  /** First address, canonical (RFC 5952 for IPv6). */
  readonly base: string;
  readonly prefix: number;
}

export const BITS: Record<Family, number> = { ipv6: 128, ipv4: 32 };

export const cidrText = (cidr: Cidr): string => `${cidr.base}/${cidr.prefix}`;

/** The one spelling of an address, or undefined. Zones (`%eth0`), IPv4 in IPv6 and short IPv4 forms are refused. */
export function canonicalAddress(text: string): { family: Family; address: string } | undefined {
  if (text.length > 45 || /[%\s]/.test(text)) return undefined;
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return { family: 'ipv4', address: ipaddr.IPv4.parse(text).toString() };
  if (!text.includes(':') || !ipaddr.IPv6.isValid(text)) return undefined;
  const parsed = ipaddr.IPv6.parse(text);
  return parsed.isIPv4MappedAddress() ? undefined : { family: 'ipv6', address: parsed.toRFC5952String() };
}

/** A range, or an address as the range of itself; undefined when it is neither, or has bits set behind the prefix. */
export function parseCidr(text: string): Cidr | undefined {
  const [head = '', tail, ...rest] = text.trim().split('/');
  const found = canonicalAddress(head);
  if (found === undefined || rest.length > 0 || (tail !== undefined && !/^\d{1,3}$/.test(tail))) return undefined;
  const prefix = tail === undefined ? BITS[found.family] : Number(tail);
  if (prefix > BITS[found.family]) return undefined;
  const cidr = { family: found.family, base: found.address, prefix };
  return numberOf(found.address) % spanOf(cidr) === 0n ? cidr : undefined;
}

/** Whether all of `inner` is in `outer`. */
export function contains(outer: Cidr, inner: Cidr): boolean {
  if (outer.family !== inner.family || inner.prefix < outer.prefix) return false;
  const span = spanOf(outer);
  return numberOf(inner.base) / span === numberOf(outer.base) / span;
}

/** The ranges without those that lie in another, in order. Two ranges that meet are always one within the other. */
export function withoutCovered(cidrs: readonly Cidr[]): Cidr[] {
  const kept: Cidr[] = [];
  for (const cidr of [...cidrs].sort(compareCidr)) if (!kept.some((k) => contains(k, cidr))) kept.push(cidr);
  return kept;
}

export function compareCidr(a: Cidr, b: Cidr): number {
  if (a.family !== b.family) return a.family < b.family ? -1 : 1;
  const [x, y] = [numberOf(a.base), numberOf(b.base)];
  return x < y ? -1 : x > y ? 1 : a.prefix - b.prefix;
}

// A range has too many addresses to count through; whoever needs more than this has a plan of their own.
const MOST_LOOKED_AT = 65_536;

/**
 * The lowest address of the range that is not taken. Skips the first (a router's anycast address in IPv6, RFC 4291
 * §2.6.1; the network's own in IPv4) and, for IPv4, the broadcast address. Undefined when none is free.
 */
export function freeAddress(range: Cidr, taken: ReadonlySet<string>): string | undefined {
  const span = spanOf(range);
  const first = numberOf(range.base);
  const last = range.family === 'ipv4' ? first + span - 2n : first + span - 1n;
  for (let i = first + 1n, looked = 0; i <= last && looked < MOST_LOOKED_AT; i++, looked++) {
    const address = addressOf(i, range.family);
    if (!taken.has(address)) return address;
  }
  return undefined;
}

/** Whether the internet could route to it: no private, loopback, link-local, documentation or reserved range. */
export function isGlobal(address: string): boolean {
  return canonicalAddress(address) !== undefined && ipaddr.parse(address).range() === 'unicast';
}

const spanOf = ({ family, prefix }: Cidr): bigint => 1n << BigInt(BITS[family] - prefix);

function numberOf(address: string): bigint {
  return ipaddr
    .parse(address)
    .toByteArray()
    .reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
}

function addressOf(value: bigint, family: Family): string {
  const bytes: number[] = [];
  for (let i = BITS[family] / 8 - 1; i >= 0; i--) bytes.push(Number((value >> BigInt(i * 8)) & 255n));
  const parsed = ipaddr.fromByteArray(bytes);
  return parsed.kind() === 'ipv6' ? (parsed as ipaddr.IPv6).toRFC5952String() : parsed.toString();
}
