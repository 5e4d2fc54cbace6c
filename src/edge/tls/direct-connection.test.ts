import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectPlain, createServer } from 'node:net';
import { test } from 'node:test';
import { connect as connectTls, createSecureContext } from 'node:tls';
import { createTestAuthority } from '../../../test/fixtures/certificate.ts';
import { takeHandles } from '../listen/take-handles.ts';
import { Wire } from '../wire/wire.ts';
import { DirectConnection } from './direct-connection.ts';
import { nodeInside } from './node-inside.ts';

const { ca, issue } = createTestAuthority();
const { cert, key } = issue(['a.test']);
const context = createSecureContext({ cert, key });
const ALPN = Buffer.from('\x08http/1.1', 'latin1');

/** Sends back what it gets, and ends when the client does. */
async function startEcho(t: { after(cleanup: () => void): void }) {
  const server = createServer(() => assert.fail('a Socket was made'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const events: string[] = [];
  let heard = () => {};
  const note = (event: string) => {
    events.push(event);
    heard();
  };
  const noted = async (event: string) => {
    while (!events.includes(event))
      await new Promise<void>((resolve) => {
        heard = resolve;
      });
  };
  takeHandles(server, nodeInside, 60, (tcp, inside) => {
    const connection = new DirectConnection(inside, tcp);
    connection.on('close', () => note('closed'));
    connection.first((hello) =>
      connection.secure(context, ALPN, hello, {
        secured() {
          note(`secured ${connection.alpnProtocol} ${connection.getProtocol()}`);
          const wire: Wire = new Wire(connection, {
            received: (bytes, start, end) => wire.write(Buffer.from(bytes.subarray(start, end))),
            ended: () => wire.end(),
            drained() {},
            closed: (error) => note(`wire closed ${error === undefined}`),
          });
          wire.start();
        },
        failed: (_, error) => note(`failed ${error instanceof Error}`),
      }),
    );
    return true;
  });
  return { port: (server.address() as { port: number }).port, events, noted };
}

test('bytes go both ways without a Socket, and both ends are told of the end', async (t) => {
  const { port, events, noted } = await startEcho(t);
  const client = connectTls({ port, host: '127.0.0.1', servername: 'a.test', ca, ALPNProtocols: ['http/1.1'] });
  await once(client, 'secureConnect');
  const sent = Buffer.alloc(300_000, 'abcdefg');
  const pieces: Buffer[] = [];
  client.on('data', (piece) => pieces.push(Buffer.from(piece)));
  client.end(sent);
  await once(client, 'close');
  assert.ok(Buffer.concat(pieces).equals(sent));
  await noted('closed');
  assert.deepEqual(events, ['secured http/1.1 TLSv1.3', 'closed', 'wire closed true']);
});

test('a client that leaves before, or sends what is no TLS, is closed and told of once', async (t) => {
  const { port, events, noted } = await startEcho(t);
  const silent = connectPlain(port, '127.0.0.1');
  await once(silent, 'connect');
  silent.destroy();
  await noted('closed');
  assert.deepEqual(events.splice(0), ['closed']);
  const noise = connectPlain(port, '127.0.0.1');
  noise.on('error', () => {});
  noise.write('GET / HTTP/1.1\r\n\r\n');
  noise.resume();
  await noted('closed');
  assert.deepEqual(events, ['failed true', 'closed']);
  noise.destroy();
});

test('a connection that becomes a Socket loses nothing', async (t) => {
  const server = createServer(() => assert.fail('a Socket was made'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  takeHandles(server, nodeInside, 60, (tcp, inside) => {
    const connection = new DirectConnection(inside, tcp);
    connection.first((bytes) => {
      const socket = connection.toSocket();
      socket.unshift(Buffer.from(bytes));
      socket.pipe(socket);
    });
    return true;
  });
  const client = connectPlain((server.address() as { port: number }).port, '127.0.0.1');
  client.write('first');
  const [echo] = (await once(client, 'data')) as [Buffer];
  const sent = Buffer.alloc(300_000, 'abcdefg');
  const pieces: Buffer[] = [echo];
  client.on('data', (piece) => pieces.push(Buffer.from(piece)));
  client.end(sent);
  await once(client, 'close');
  assert.ok(Buffer.concat(pieces).equals(Buffer.concat([Buffer.from('first'), sent])));
});
