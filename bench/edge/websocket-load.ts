// node bench/edge/websocket-load.ts PORT CONNECTIONS SECONDS: one message of 64 octets under way on each connection;
// prints the echoes of the measured time as JSON. A second before it is not counted.
import { connect, type TLSSocket } from 'node:tls';

const [port = 0, connections = 0, seconds = 0] = process.argv.slice(2).map(Number);
const SIZE = 64;
const ECHO = 2 + SIZE;
const AT_ONCE = 50;
// A masked text frame whose mask is all zeros.
const MESSAGE = Buffer.concat([Buffer.of(0x81, 0x80 | SIZE, 0, 0, 0, 0), Buffer.alloc(SIZE, 'x')]);
const REQUEST =
  'GET /echo HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
  'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n';

let echoes = 0;
let failed = 0;
let over = false;

const open = () =>
  new Promise<TLSSocket>((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
    let head = '';
    socket.once('secureConnect', () => socket.write(REQUEST));
    socket.on('error', reject);
    socket.on('data', function answer(bytes: Buffer) {
      head += bytes.toString('latin1');
      if (!head.includes('\r\n\r\n')) return;
      socket.off('data', answer);
      socket.off('error', reject);
      if (head.startsWith('HTTP/1.1 101')) resolve(socket);
      else reject(new Error(head.split('\r\n')[0]));
    });
  });

function play(socket: TLSSocket) {
  let have = 0;
  socket.on('error', () => socket.destroy());
  socket.on('close', () => {
    if (!over) failed++;
  });
  socket.on('data', (bytes: Buffer) => {
    have += bytes.length;
    while (have >= ECHO) {
      have -= ECHO;
      echoes++;
      socket.write(MESSAGE);
    }
  });
  socket.write(MESSAGE);
}

const sockets: TLSSocket[] = [];
while (sockets.length < connections)
  sockets.push(...(await Promise.all(Array.from({ length: AT_ONCE }, open))).slice(0, connections - sockets.length));
for (const socket of sockets) play(socket);
setTimeout(() => {
  console.log('begun');
  const before = echoes;
  const begun = performance.now();
  setTimeout(() => {
    over = true;
    const count = echoes - before;
    console.log(JSON.stringify({ value: count / ((performance.now() - begun) / 1000), count, failed }));
    process.exit(0);
  }, seconds * 1000);
}, 1000);
