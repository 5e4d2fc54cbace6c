import { isIPv6 } from 'node:net';
import type { ConnectionInfo } from '../plane/types.ts';

type Ends = Pick<ConnectionInfo, 'remoteAddress' | 'remotePort' | 'localAddress' | 'localPort'>;

const SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');

/** The PROXY protocol header that tells an upstream who the client is. */
export function proxyHeader(version: 'v1' | 'v2', ends: Ends): Buffer {
  const six = isIPv6(ends.remoteAddress) || isIPv6(ends.localAddress);
  const { remotePort, localPort } = ends;
  const source = six ? asSix(ends.remoteAddress) : ends.remoteAddress;
  const destination = six ? asSix(ends.localAddress) : ends.localAddress;
  if (version === 'v1') {
    return Buffer.from(
      `PROXY ${six ? 'TCP6' : 'TCP4'} ${source} ${destination} ${remotePort} ${localPort}\r\n`,
      'latin1',
    );
  }
  const addresses = Buffer.concat([addressOctets(source), addressOctets(destination)]);
  const rest = Buffer.alloc(4);
  // Version 2, command PROXY; family and stream; length of what follows.
  rest.set([0x21, six ? 0x21 : 0x11]);
  rest.writeUInt16BE(addresses.length + 4, 2);
  const ports = Buffer.alloc(4);
  ports.writeUInt16BE(remotePort, 0);
  ports.writeUInt16BE(localPort, 2);
  return Buffer.concat([SIGNATURE, rest, addresses, ports]);
}

const asSix = (address: string) => (isIPv6(address) ? address : `::ffff:${address}`);

function addressOctets(address: string): Buffer {
  if (!isIPv6(address)) return Buffer.from(address.split('.').map(Number));
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address);
  const hex = (high: string, low: string) => ((Number(high) << 8) | Number(low)).toString(16);
  const text = dotted === null ? address : `${dotted[1]}${hex(dotted[2]!, dotted[3]!)}:${hex(dotted[4]!, dotted[5]!)}`;
  const [head = '', tail] = text.split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const groups = [...before, ...Array<string>(8 - before.length - after.length).fill('0'), ...after];
  return Buffer.from(groups.flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 0xff]));
}
