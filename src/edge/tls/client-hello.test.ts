import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { connect } from 'node:tls';
import fc from 'fast-check';
import { parseClientHello } from './client-hello.ts';
import { groupOf } from './groups.ts';

/** The first bytes that OpenSSL sends. */
async function realHello(options: {
  servername?: string;
  ALPNProtocols?: string[];
  ecdhCurve?: string;
}): Promise<Buffer> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const client = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options });
  client.on('error', () => {});
  const [socket] = await once(server, 'connection');
  const [bytes] = await once(socket, 'data');
  client.destroy();
  socket.destroy();
  server.close();
  return bytes;
}

test('name, protocols and key shares of a real ClientHello are read', async () => {
  const bytes = await realHello({
    servername: 'Shop.Example.com',
    ALPNProtocols: ['h2', 'http/1.1'],
    ecdhCurve: 'X25519:P-256',
  });
  const result = parseClientHello(bytes);
  assert.ok(result.status === 'complete');
  assert.equal(result.hello.serverName, 'shop.example.com');
  assert.deepEqual(result.hello.alpn, ['h2', 'http/1.1']);
  assert.equal(groupOf(result.hello, ['X25519MLKEM768', 'X25519']), 'X25519');
  const nameless = parseClientHello(await realHello({}));
  assert.ok(nameless.status === 'complete' && nameless.hello.serverName === undefined);
});

test('a ClientHello is read however it is cut into pieces and records', async () => {
  const bytes = await realHello({ servername: 'a.test' });
  for (let at = 1; at < bytes.length; at++) assert.equal(parseClientHello(bytes.subarray(0, at)).status, 'partial');
  const message = bytes.subarray(5);
  fc.assert(
    fc.property(fc.integer({ min: 4, max: message.length - 1 }), (cut) => {
      const record = (part: Buffer) => Buffer.concat([Buffer.of(22, 3, 1, part.length >> 8, part.length & 255), part]);
      const joined = Buffer.concat([record(message.subarray(0, cut)), record(message.subarray(cut))]);
      const result = parseClientHello(joined);
      assert.ok(result.status === 'complete' && result.hello.serverName === 'a.test');
    }),
  );
});

test('whatever else is sent is partial or malformed, and never throws', async () => {
  const bytes = await realHello({ servername: 'a.test', ALPNProtocols: ['h2'] });
  fc.assert(fc.property(fc.uint8Array({ maxLength: 600 }), (noise) => void parseClientHello(noise)));
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 0, max: 255 }), (at, value) => {
      const changed = Buffer.from(bytes);
      changed[at] = value;
      parseClientHello(changed);
    }),
    { numRuns: 2_000 },
  );
  assert.equal(parseClientHello(Buffer.from('GET / HTTP/1.1\r\n')).status, 'malformed');
  const slivers = Buffer.concat(Array.from({ length: 40 }, () => Buffer.of(22, 3, 1, 0, 1, 1)));
  assert.equal(parseClientHello(slivers).status, 'malformed');
});
