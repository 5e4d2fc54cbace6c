// node bench/edge/echo.ts PORT: accepts any upgrade and sends each small frame back unmasked (RFC 6455 §5.2); the bench's
// clients mask with zeros, so a payload is echoed as it stands. Any other request is answered when its body was read.
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { Duplex } from 'node:stream';

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const HEADER = 2;
const MASK = 4;

const server = createServer((request, response) => request.on('end', () => response.end('ok')).resume());
server.on('upgrade', (request, socket) => {
  const accept = createHash('sha1').update(`${request.headers['sec-websocket-key']}${GUID}`).digest('base64');
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
  );
  echo(socket);
});
server.listen({ port: Number(process.argv[2]), host: '127.0.0.1', backlog: 4_096 });
process.on('SIGTERM', () => process.exit(0));

function echo(socket: Duplex) {
  let held: Buffer = Buffer.alloc(0);
  socket.on('error', () => socket.destroy());
  socket.on('data', (bytes: Buffer) => {
    held = held.length === 0 ? bytes : Buffer.concat([held, bytes]);
    while (held.length >= HEADER) {
      const length = held[1]! & 127;
      const end = HEADER + MASK + length;
      if (held.length < end) return;
      const frame = Buffer.allocUnsafe(HEADER + length);
      frame[0] = held[0]!;
      frame[1] = length;
      held.copy(frame, HEADER, HEADER + MASK, end);
      socket.write(frame);
      held = held.subarray(end);
    }
  });
}
