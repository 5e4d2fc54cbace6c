import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatProxyHeader, parseProxyHeader } from './proxy-protocol.ts';

const port = fc.integer({ min: 0, max: 65_535 });
const addresses = fc.oneof(fc.tuple(fc.ipV4(), fc.ipV4()), fc.tuple(fc.ipV6(), fc.ipV6()));

test('what is written is read back, in both versions, and not before it is whole', () => {
  fc.assert(
    fc.property(fc.constantFrom('v1', 'v2'), addresses, port, port, (version, [from, to], remotePort, localPort) => {
      const source = { remoteAddress: from, remotePort, localAddress: to, localPort };
      const header = formatProxyHeader(version, source);
      const read = parseProxyHeader(Buffer.concat([header, Buffer.from('rest')]));
      assert.ok(read.status === 'complete' && read.source !== undefined);
      assert.equal(read.length, header.length);
      // The same addresses, in whatever way they are written.
      assert.deepEqual(formatProxyHeader('v2', read.source), formatProxyHeader('v2', source));
      assert.equal(parseProxyHeader(header.subarray(0, header.length - 1)).status, 'partial');
    }),
  );
});

test('strict about version 1, and LOCAL and UNKNOWN are the proxy itself', () => {
  const v1 = (text: string) => parseProxyHeader(Buffer.from(text));
  assert.deepEqual(v1('PROXY UNKNOWN\r\n'), { status: 'complete', source: undefined, length: 15 });
  for (const bad of [
    'PROXY TCP4 1.2.3.4 5.6.7.8 99999 1\r\n',
    'PROXY TCP4 1.2.3.4 5.6.7.8 01 1\r\n',
    'PROXY TCP4 ::1 ::1 1 1\r\n',
    'PROXY TCP4 1.2.3.4 5.6.7.8 1 1 1\r\n',
    `PROXY TCP4 ${'1'.repeat(200)}`,
    'GET / HTTP/1.1\r\n',
  ])
    assert.equal(v1(bad).status, 'malformed', bad);
  const local = Buffer.concat([Buffer.from('0d0a0d0a000d0a515549540a', 'hex'), Buffer.of(0x20, 0, 0, 0)]);
  assert.deepEqual(parseProxyHeader(local), { status: 'complete', source: undefined, length: 16 });
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (noise) => void parseProxyHeader(Buffer.from(noise))));
});
