// node bench/edge/open-loop.ts PORT CONNECTIONS RATE SECONDS: requests at a fixed rate whatever the answers do, so that
// one late answer does not keep later requests from being counted as late too. A request's time begins when it is due,
// also when no connection is free. Prints JSON.
import { connect, type TLSSocket } from 'node:tls';

const [port = 0, connections = 0, rate = 0, seconds = 0] = process.argv.slice(2).map(Number);
const REQUEST = 'GET /1k HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n';
const WARM_SECONDS = 1;
const DRAIN_MS = 1_000;
const HEAD_END = '\r\n\r\n';

const free: TLSSocket[] = [];
const due: number[] = [];
const times: number[] = [];
let failed = 0;
let sent = 0;

const open = () =>
  new Promise<void>((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] });
    socket.once('secureConnect', () => {
      free.push(socket);
      resolve();
    });
    socket.once('error', (error) => {
      failed++;
      reject(error);
    });
    let left = -1;
    socket.on('data', (bytes: Buffer) => {
      if (left < 0) {
        const head = bytes.toString('latin1');
        const at = head.indexOf(HEAD_END);
        if (at < 0 || !head.startsWith('HTTP/1.1 200')) failed++;
        left = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0) - (bytes.length - at - HEAD_END.length);
      } else left -= bytes.length;
      if (left > 0) return;
      left = -1;
      times.push(performance.now() - (socket as TLSSocket & { due: number }).due);
      const next = due.shift();
      if (next === undefined) free.push(socket);
      else send(socket, next);
    });
  });

function send(socket: TLSSocket, at: number) {
  (socket as TLSSocket & { due: number }).due = at;
  socket.write(REQUEST);
}

await Promise.all(Array.from({ length: connections }, open));
console.log('begun');
const begun = performance.now();
const timer = setInterval(() => {
  const now = performance.now();
  const until = Math.min(now - begun, (WARM_SECONDS + seconds) * 1000);
  for (; sent < (until / 1000) * rate; sent++) {
    const socket = free.shift();
    if (socket === undefined) due.push(now);
    else send(socket, now);
  }
  if (now - begun > (WARM_SECONDS + seconds) * 1000 + DRAIN_MS) finish();
}, 1);

function finish() {
  clearInterval(timer);
  const measured = times.slice(Math.floor(WARM_SECONDS * rate)).sort((a, b) => a - b);
  const at = (share: number) => measured[Math.min(measured.length - 1, Math.floor(measured.length * share))];
  const unanswered = sent - times.length;
  console.log(JSON.stringify({ count: measured.length, failed: failed + unanswered, p50Ms: at(0.5), p99Ms: at(0.99) }));
  process.exit(0);
}
