// A small upstream to try Gatehouse with: a page, an echo of the request, and a WebSocket that answers what it is sent.
//   npm run sample            (port 3000)
import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';

const port = Number(process.argv[2] ?? 3000);

const server = createServer((request, response) => {
  if (request.url === '/echo') {
    response.setHeader('content-type', 'application/json');
    return response.end(
      JSON.stringify({ method: request.method, url: request.url, headers: request.headers }, null, 2),
    );
  }
  response.setHeader('content-type', 'text/plain; charset=utf-8');
  response.end(`Hello from the upstream. You asked ${request.headers.host} for ${request.url}.\n`);
});

new WebSocketServer({ server }).on('connection', (socket) => {
  socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
});

server.listen(port, '127.0.0.1', () => {
  console.log(`sample upstream on http://127.0.0.1:${server.address().port}`);
});
