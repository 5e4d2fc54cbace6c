import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, connect as connectPlain, createServer as createTcpServer } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { type ConnectionOptions, connect, createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { createTestAuthority } from '../../test/fixtures/certificate.ts';
import { type StartedProxy, startProxy } from '../../test/fixtures/proxy.ts';
import { temporaryDirectory } from '../../test/fixtures/temporary.ts';

const authority = createTestAuthority();

async function startUpstream(t: TestContext, words: string): Promise<string> {
  const server = createServer((request, response) => {
    response.end(JSON.stringify({ words, url: request.url, headers: request.headers }));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A directory with a certificate for these names in `cert.pem` and `key.pem`. */
function directoryWith(t: TestContext, ...names: string[]): string {
  const directory = temporaryDirectory(t);
  const { cert, key } = authority.issue(names);
  writeFileSync(join(directory, 'cert.pem'), cert);
  writeFileSync(join(directory, 'key.pem'), key);
  writeFileSync(join(directory, 'ca.pem'), authority.ca);
  return directory;
}

const manual = { mode: 'manual', certificates: [{ cert: 'cert.pem', key: 'key.pem' }] };
const listener = { id: 'main', address: '127.0.0.1', https_port: 0, http_port: 0, tls: manual };
const portOf = (url: string) => Number(new URL(url).port);

async function open(proxy: StartedProxy, servername: string, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const port = portOf((await proxy.ready).edge_https);
  const socket = connect({ port, host: '127.0.0.1', servername, ca: authority.ca, ...options });
  await once(socket, 'secureConnect');
  return socket;
}

async function get(proxy: StartedProxy, host: string, options: ConnectionOptions = {}): Promise<string> {
  const socket = await open(proxy, host, options);
  socket.write(`GET /x HTTP/1.1\r\nHost: ${host}\r\nX-Client-Cert-Subject: forged\r\nConnection: close\r\n\r\n`);
  return text(socket);
}

test('a wrong file stops the start with file, line, key and what is accepted', async (t) => {
  const wrong = startProxy(t, {
    listeners: [{ ...listener, tls: { mode: 'magic' } }],
    sites: [{ hosts: ['a.test'], upstreams: ['ftp://x'] }],
  });
  assert.equal(await wrong.ended, 1);
  assert.match(wrong.output(), /proxy\.yaml:\d+:\d+: listeners\[0\]\.tls: mode is not one of manual, acme/);
  assert.match(
    wrong.output(),
    /proxy\.yaml:\d+:\d+: sites\[0\]\.upstreams\[0\]: "ftp:\/\/x" is not an upstream: http:/,
  );
  const absent = startProxy(t, { listeners: [listener] });
  assert.equal(await absent.ended, 1);
  assert.match(absent.output(), /proxy\.yaml:\d+:\d+: .*cert\.pem cannot be read/);
});

test('a reload takes routes and certificates over under open connections, and a wrong one changes nothing', async (t) => {
  const [first, second] = await Promise.all([startUpstream(t, 'first'), startUpstream(t, 'second')]);
  const directory = directoryWith(t, 'a.test');
  const configOf = (upstream: string) => ({
    workers: 1,
    health: { port: 0 },
    access_log: { format: 'json', file: 'access.log' },
    listeners: [listener],
    sites: [{ hosts: ['a.test'], upstreams: [upstream] }],
  });
  const proxy = startProxy(t, configOf(first), directory);
  const kept = await open(proxy, 'a.test', { ALPNProtocols: ['http/1.1'] });
  const ask = async () => {
    kept.write('GET /kept HTTP/1.1\r\nHost: a.test\r\n\r\n');
    const [answer] = await once(kept, 'data');
    return String(answer);
  };
  assert.match(await ask(), /first/);
  proxy.configure(configOf(second));
  assert.equal((await proxy.admin('POST', '/reload')).status, 200);
  assert.match(await ask(), /second/);

  proxy.configure({ ...configOf(first), listeners: 'none' });
  const refused = await proxy.admin('POST', '/reload');
  assert.equal(refused.status, 500);
  assert.match(refused.body, /listeners: .*is not of type array/);
  assert.match(await ask(), /second/);

  assert.match(proxy.output(), /Gatehouse proxies\.[\s\S]*Listener main +https:\/\/127\.0\.0\.1:\d+ and http:/);
  assert.match(proxy.output(), /Site +a\.test\/ -> http:[\s\S]*kill -HUP \d+ reads .*proxy\.yaml again/);

  const before = proxy.output().length;
  const { cert, key } = authority.issue(['a.test', 'b.test']);
  writeFileSync(join(directory, 'cert.pem'), cert);
  writeFileSync(join(directory, 'key.pem'), key);
  await proxy.logged(/a changed certificate is served/, before);
  (await open(proxy, 'b.test')).destroy();

  const { health } = await proxy.ready;
  assert.equal((await fetch(`${health}/readyz`)).status, 200);
  const metrics = await (await fetch(`${health}/metrics`)).text();
  assert.match(metrics, /gatehouse_edge_requests_total\{listener="main",protocol="HTTP\/1\.1",status="200"\} 3/);
  assert.match(
    metrics,
    /gatehouse_edge_handshakes_total\{version="TLSv1\.3",kind="full",group="X25519(MLKEM768)?"\} [12]/,
  );
  assert.match(metrics, /gatehouse_edge_upstream_healthy\{upstream="http:[^"]*"\} 1/);
  assert.match(metrics, /gatehouse_edge_request_duration_seconds_bucket\{listener="main",le="\+Inf"\} 3/);
  assert.match(metrics, /gatehouse_edge_certificate_days_left\{listener="main",name="a\.test"\} 89/);
  kept.destroy();
  assert.equal(await proxy.stop(), 0);
  const lines = readFileSync(join(directory, 'access.log'), 'utf8').trim().split('\n');
  assert.equal(lines.length, 3);
  assert.equal(JSON.parse(lines[0]!).target, '/kept');
});

test('client certificates are asked for, verified, and told to the upstream in fields that no client forges', async (t) => {
  const upstream = await startUpstream(t, 'mine');
  const tls = { ...manual, client_certificates: { mode: 'required', ca_file: 'ca.pem' } };
  const config = {
    workers: 1,
    listeners: [{ ...listener, tls }],
    sites: [{ hosts: ['a.test'], upstreams: [upstream], client_certificate: 'required' }],
  };
  const proxy = startProxy(t, config, directoryWith(t, 'a.test'));
  await proxy.ready;
  const client = authority.issue(['client.test'], { client: true });
  const answer = await get(proxy, 'a.test', { cert: client.cert, key: client.key, ALPNProtocols: ['http/1.1'] });
  assert.match(answer, /CN=client\.test/);
  assert.doesNotMatch(answer, /forged/);

  const stranger = createTestAuthority().issue(['client.test'], { client: true });
  for (const shown of [{}, { cert: stranger.cert, key: stranger.key }])
    await assert.rejects(
      get(proxy, 'a.test', { ...shown, ALPNProtocols: ['http/1.1'] }).then((got) => assert.match(got, /200/)),
    );
  await proxy.logged(/handshake failed: peer did not return a certificate/);
});

test('the PROXY protocol tells the client address in and out, and passthrough ends no TLS', {
  timeout: 60_000,
}, async (t) => {
  const upstream = await startUpstream(t, 'behind');
  const { cert, key } = createTestAuthority().issue(['deep.test']);
  const heads: string[] = [];
  const deep = createTlsServer({ cert, key }, (socket) => socket.end('from the deep'));
  const outer = createTcpServer((socket) => {
    socket.once('data', (head: Buffer) => {
      const end = head.indexOf('\r\n') + 2;
      heads.push(head.toString('latin1', 0, end));
      // Flowing without a listener, it would lose what is put back.
      socket.pause();
      if (end < head.length) socket.unshift(head.subarray(end));
      deep.emit('connection', socket);
    });
  }).listen(0, '127.0.0.1');
  await once(outer, 'listening');
  t.after(() => outer.close());
  const deepUrl = `http://127.0.0.1:${(outer.address() as AddressInfo).port}`;
  const config = {
    workers: 1,
    listeners: [{ ...listener, proxy_protocol_from: ['127.0.0.0/8'] }],
    sites: [
      { hosts: ['a.test'], upstreams: [upstream] },
      { hosts: ['deep.test'], passthrough: true, upstreams: [{ url: deepUrl, proxy_protocol: 'v1' }] },
    ],
  };
  const proxy = startProxy(t, config, directoryWith(t, 'a.test'));
  const port = portOf((await proxy.ready).edge_https);
  const through = async (servername: string, line: string) => {
    const socket = connectPlain(port, '127.0.0.1');
    socket.write(line);
    const secure = connect({ socket, servername, rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] });
    await once(secure, 'secureConnect');
    return secure;
  };
  const line = 'PROXY TCP4 192.0.2.7 127.0.0.1 4711 443\r\n';
  const plain = await through('a.test', line);
  plain.write('GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n');
  assert.match(await text(plain), /"x-forwarded-for":"192\.0\.2\.7"/);

  const secure = await through('deep.test', line);
  assert.equal(secure.getPeerX509Certificate()?.checkHost('deep.test'), 'deep.test');
  assert.equal(await text(secure), 'from the deep');
  assert.deepEqual(heads, [line]);

  const stranger = connectPlain(port, '127.0.0.1');
  stranger.on('error', () => {});
  stranger.write('GET / HTTP/1.1\r\n');
  await once(stranger, 'close');
  await proxy.logged(/connection refused: no PROXY header/);
});

test('workers outlive their supervisor for a while, and a new one takes the ports at once', async (t) => {
  const upstream = await startUpstream(t, 'still here');
  const directory = directoryWith(t, 'a.test');
  const first = startProxy(
    t,
    { workers: 1, listeners: [listener], sites: [{ hosts: ['a.test'], upstreams: [upstream] }] },
    directory,
  );
  const { edge_https } = await first.ready;
  const kept = await open(first, 'a.test', { ALPNProtocols: ['http/1.1'] });
  process.kill(first.process.pid!, 'SIGKILL');
  await once(first.process, 'exit');
  kept.write('GET / HTTP/1.1\r\nHost: a.test\r\n\r\n');
  assert.match(String((await once(kept, 'data'))[0]), /still here/);
  assert.match(await get(first, 'a.test', { ALPNProtocols: ['http/1.1'] }), /still here/);

  const again = { ...listener, https_port: portOf(edge_https) };
  const second = startProxy(
    t,
    { workers: 1, listeners: [again], sites: [{ hosts: ['a.test'], upstreams: [upstream] }] },
    directory,
  );
  await second.ready;
  assert.match(await get(second, 'a.test', { ALPNProtocols: ['http/1.1'] }), /still here/);
  kept.destroy();
});
