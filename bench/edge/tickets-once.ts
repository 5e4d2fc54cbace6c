// node bench/edge/tickets-once.ts PORT CONNECTIONS SECONDS: a new connection for each request, by a client that uses each
// session ticket for one connection only (RFC 8446 §C.4), as browsers do. Prints how many were resumed, as JSON.
import { connect } from 'node:tls';

const [port = 0, connections = 0, seconds = 0] = process.argv.slice(2).map(Number);
const REQUEST = 'GET /1k HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n';

let count = 0;
let resumed = 0;
let failed = 0;
const end = performance.now() + seconds * 1000;

/** One client: its tickets are its own. */
async function client() {
  const tickets: Buffer[] = [];
  while (performance.now() < end) {
    const reused = await once(tickets).catch(() => undefined);
    if (reused === undefined) failed++;
    else {
      count++;
      if (reused) resumed++;
    }
  }
}

const once = (tickets: Buffer[]) =>
  new Promise<boolean>((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, session: tickets.pop() });
    socket.on('session', (ticket) => void tickets.push(ticket));
    socket.once('secureConnect', () => socket.write(REQUEST));
    socket.resume();
    socket.once('error', reject);
    socket.once('end', () => resolve(socket.isSessionReused()));
  });

await Promise.all(Array.from({ length: connections }, client));
console.log(JSON.stringify({ count, failed, value: (resumed / count) * 100 }));
process.exit(0);
