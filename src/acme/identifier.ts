import ipaddr from 'ipaddr.js';

/** RFC 8555 §9.7.7, RFC 8738. */
export type IdentifierType = 'dns' | 'ip';

export interface Identifier {
  readonly type: IdentifierType;
  readonly value: string;
}

/** A name of a certificate as an identifier; addresses in their canonical text form (RFC 8738 §3). */
export function identifierOf(name: string): Identifier {
  // Most names are told from addresses by a letter; the library would try six patterns on each.
  if (!name.includes(':') && !/^[\da-fx.]+$/i.test(name)) return { type: 'dns', value: name.toLowerCase() };
  if (!ipaddr.isValid(name) || !/[.:]/.test(name)) return { type: 'dns', value: name.toLowerCase() };
  return { type: 'ip', value: ipaddr.parse(name).toString() };
}

/** One text for an identifier, for keys of maps and columns. */
export const identifierKey = ({ type, value }: Identifier): string => `${type}:${value}`;

/** The server name under which an address is validated by tls-alpn-01 (RFC 8738 §6): its reverse DNS name. */
export function reverseName(address: string): string {
  const parsed = ipaddr.parse(address);
  if (parsed.kind() === 'ipv4') return `${parsed.toByteArray().reverse().join('.')}.in-addr.arpa`;
  const nibbles = Buffer.from(parsed.toByteArray()).toString('hex').split('');
  return `${nibbles.reverse().join('.')}.ip6.arpa`;
}
