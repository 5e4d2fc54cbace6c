// node bench/edge/plane-server.ts PORT UPSTREAM CERT KEY: the data plane behind the smallest TLS listener, for profiles.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:tls';
import { silentLogger, systemClock } from '../../src/base/index.ts';
import { createPlane, defaultSettings } from '../../src/edge/plane/index.ts';

const [port = '0', upstream = '', cert = '', key = ''] = process.argv.slice(2);
const plane = createPlane({
  routes: {
    routesOf: (host) =>
      host === 'shop.example.com' || host === '127.0.0.1'
        ? [{ id: 'r', host, path: '/', upstreams: [{ url: upstream }] }]
        : [],
  },
  settings: {
    ...defaultSettings,
    limits: { ...defaultSettings.limits, requestsPerConnection: Number.MAX_SAFE_INTEGER },
  },
  log: silentLogger,
  clock: systemClock,
});
const server = createServer(
  {
    cert: readFileSync(cert),
    key: readFileSync(key),
    ALPNProtocols: ['h2', 'http/1.1'],
    minVersion: 'TLSv1.2',
    noDelay: true,
  },
  (socket) => {
    const alpn = socket.alpnProtocol === 'h2' ? 'h2' : 'http/1.1';
    plane.accept(socket, {
      secure: true,
      serverName: undefined,
      alpn,
      remoteAddress: socket.remoteAddress ?? '',
      remotePort: socket.remotePort ?? 0,
      localAddress: socket.localAddress ?? '',
      localPort: socket.localPort ?? 0,
      listener: { id: 'bench' },
    });
  },
);
server.on('tlsClientError', () => {});
server.listen(Number(port), '127.0.0.1', 4096, () => console.log('ready'));
process.on('SIGTERM', () => process.exit(0));
