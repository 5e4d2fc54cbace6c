import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { connect } from 'node:tls';
import { createTestAuthority } from '../../test/fixtures/certificate.ts';
import { startProxy } from '../../test/fixtures/proxy.ts';
import { temporaryDirectory } from '../../test/fixtures/temporary.ts';

test('protocol_engine: node serves both protocols on the same listener, and a reload goes there and back', async (t) => {
  const upstream = createServer((request, response) => response.end(`for ${request.headers['x-forwarded-for']}`));
  upstream.listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  t.after(() => {
    upstream.closeAllConnections();
    upstream.close();
  });
  const authority = createTestAuthority();
  const directory = temporaryDirectory(t);
  const { cert, key } = authority.issue(['a.test']);
  writeFileSync(join(directory, 'cert.pem'), cert);
  writeFileSync(join(directory, 'key.pem'), key);
  const tls = { mode: 'manual', certificates: [{ cert: 'cert.pem', key: 'key.pem' }] };
  const config = (protocol_engine: string) => ({
    protocol_engine,
    workers: 1,
    listeners: [{ id: 'main', address: '127.0.0.1', https_port: 0, tls }],
    sites: [{ hosts: ['a.test'], upstreams: [`http://127.0.0.1:${(upstream.address() as AddressInfo).port}`] }],
  });
  const proxy = startProxy(t, config('own'), directory);
  const port = Number(new URL((await proxy.ready).edge_https).port);
  const ask = async (head: string) => {
    const socket = connect({ port, host: '127.0.0.1', servername: 'a.test', ca: authority.ca });
    socket.write(`${head}\r\nHost: a.test\r\nConnection: close\r\n\r\n`);
    return text(socket);
  };
  const askHttp2 = async () => {
    const session = connectHttp2('https://a.test', {
      ca: authority.ca,
      createConnection: () => tlsTo(port, authority.ca),
    });
    const answer = await text(session.request({ ':path': '/' }));
    session.close();
    return answer;
  };
  // llhttp passes over a second space; our parser does not. It shows who reads.
  const answers = { own: /^HTTP\/1\.1 400 /, node: /^HTTP\/1\.1 200 [\s\S]*for 127\.0\.0\.1$/ };
  for (const engine of ['own', 'node', 'own'] as const) {
    proxy.configure(config(engine));
    assert.equal((await proxy.admin('POST', '/reload')).status, 200);
    assert.match(await ask('GET / HTTP/1.1'), /^HTTP\/1\.1 200 [\s\S]*for 127\.0\.0\.1$/);
    assert.match(await ask('GET  / HTTP/1.1'), answers[engine]);
    assert.equal(await askHttp2(), 'for 127.0.0.1');
  }
});

const tlsTo = (port: number, ca: string) =>
  connect({ port, host: '127.0.0.1', servername: 'a.test', ca, ALPNProtocols: ['h2'] });
