import { SocketAddress } from 'node:net';

/** The PROXY protocol, versions 1 and 2 (https://www.haproxy.org/download/2.9/doc/proxy-protocol.txt). */
export type ProxyHeaderResult =
  | { readonly status: 'complete'; readonly source: ProxySource | undefined; readonly length: number }
  | { readonly status: 'partial' }
  | { readonly status: 'malformed'; readonly reason: string };

/** Undefined for LOCAL and UNKNOWN: the connection is the proxy's own, so its real addresses stand. */
export interface ProxySource {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;
}

const V2_SIGNATURE = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');
// §2.1: 107 bytes are enough for every line of version 1.
const V1_LONGEST = 107;
const V2_LONGEST = 2_048;

export function parseProxyHeader(bytes: Buffer): ProxyHeaderResult {
  const compared = Math.min(bytes.length, V2_SIGNATURE.length);
  if (bytes.subarray(0, compared).equals(V2_SIGNATURE.subarray(0, compared)))
    return compared < V2_SIGNATURE.length ? { status: 'partial' } : parseV2(bytes);
  return parseV1(bytes);
}

const malformed = (reason: string): ProxyHeaderResult => ({ status: 'malformed', reason });

/** §2.1: `PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n`. */
function parseV1(bytes: Buffer): ProxyHeaderResult {
  const start = bytes.subarray(0, 6).toString('latin1');
  if (!'PROXY '.startsWith(start)) return malformed('no PROXY header');
  const end = bytes.subarray(0, V1_LONGEST).indexOf('\r\n');
  if (end < 0) return bytes.length >= V1_LONGEST ? malformed('PROXY line too long') : { status: 'partial' };
  const length = end + 2;
  const [, family, source, destination, sourcePort, destinationPort, ...rest] = bytes
    .toString('latin1', 0, end)
    .split(' ');
  if (family === 'UNKNOWN') return { status: 'complete', source: undefined, length };
  if ((family !== 'TCP4' && family !== 'TCP6') || rest.length > 0) return malformed('PROXY line');
  const remote = parseEndpoint(family, source, sourcePort);
  const local = parseEndpoint(family, destination, destinationPort);
  if (remote === undefined || local === undefined) return malformed('PROXY address');
  return { status: 'complete', source: joined(remote, local), length };
}

interface Endpoint {
  readonly address: string;
  readonly port: number;
}

const joined = (remote: Endpoint, local: Endpoint): ProxySource => ({
  remoteAddress: remote.address,
  remotePort: remote.port,
  localAddress: local.address,
  localPort: local.port,
});

function parseEndpoint(family: 'TCP4' | 'TCP6', address = '', port = ''): Endpoint | undefined {
  if (!/^(0|[1-9]\d{0,4})$/.test(port) || Number(port) > 65_535) return undefined;
  try {
    const parsed = new SocketAddress({ address, family: family === 'TCP4' ? 'ipv4' : 'ipv6' });
    return { address: parsed.address, port: Number(port) };
  } catch {
    return undefined;
  }
}

/** §2.2. TLVs after the addresses are stepped over. */
function parseV2(bytes: Buffer): ProxyHeaderResult {
  if (bytes.length < 16) return { status: 'partial' };
  const command = bytes[12]!;
  const family = bytes[13]!;
  const length = 16 + bytes.readUInt16BE(14);
  if (command >> 4 !== 2 || (command & 15) > 1) return malformed('PROXY version or command');
  if (length > V2_LONGEST) return malformed('PROXY header too long');
  if (bytes.length < length) return { status: 'partial' };
  const body = bytes.subarray(16, length);
  if ((command & 15) === 0) return { status: 'complete', source: undefined, length };
  const size = family === 0x11 ? 4 : family === 0x21 ? 16 : 0;
  if (size === 0) return { status: 'complete', source: undefined, length };
  if (body.length < size * 2 + 4) return malformed('PROXY addresses end early');
  const remote = { address: addressText(body.subarray(0, size)), port: body.readUInt16BE(size * 2) };
  const local = { address: addressText(body.subarray(size, size * 2)), port: body.readUInt16BE(size * 2 + 2) };
  return { status: 'complete', source: joined(remote, local), length };
}

function addressText(bytes: Buffer): string {
  if (bytes.length === 4) return bytes.join('.');
  const groups = Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(i * 2).toString(16));
  return new SocketAddress({ address: groups.join(':'), family: 'ipv6' }).address;
}

/** What we say to an upstream before anything else. Families that differ are told as IPv6 (IPv4-mapped). */
export function formatProxyHeader(version: 'v1' | 'v2', source: ProxySource): Buffer {
  const six = source.remoteAddress.includes(':') || source.localAddress.includes(':');
  const text = (address: string) => (six && !address.includes(':') ? `::ffff:${address}` : address);
  const [remote, local] = [text(source.remoteAddress), text(source.localAddress)];
  if (version === 'v1')
    return Buffer.from(
      `PROXY ${six ? 'TCP6' : 'TCP4'} ${remote} ${local} ${source.remotePort} ${source.localPort}\r\n`,
    );
  const size = six ? 16 : 4;
  const header = Buffer.alloc(16 + size * 2 + 4);
  V2_SIGNATURE.copy(header);
  header[12] = 0x21;
  header[13] = six ? 0x21 : 0x11;
  header.writeUInt16BE(size * 2 + 4, 14);
  header.set(addressBytes(remote), 16);
  header.set(addressBytes(local), 16 + size);
  header.writeUInt16BE(source.remotePort, 16 + size * 2);
  header.writeUInt16BE(source.localPort, 18 + size * 2);
  return header;
}

function addressBytes(address: string): Uint8Array {
  if (!address.includes(':')) return Uint8Array.from(address.split('.'), Number);
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address);
  const hex = (high: string, low: string) => ((Number(high) << 8) | Number(low)).toString(16);
  const plain = dotted === null ? address : `${dotted[1]}${hex(dotted[2]!, dotted[3]!)}:${hex(dotted[4]!, dotted[5]!)}`;
  const [head = '', tail] = plain.split('::');
  const groups = (part: string) => part.split(':').filter((group) => group !== '');
  const [before, after] = [groups(head), groups(tail ?? '')];
  const zeros = Array<string>(Math.max(0, 8 - before.length - after.length)).fill('0');
  const out = Buffer.alloc(16);
  [...before, ...zeros, ...after].slice(0, 8).forEach((group, i) => {
    out.writeUInt16BE(Number.parseInt(group, 16) & 0xffff, i * 2);
  });
  return out;
}
