// A visitor comes before the certificate: the handshake waits for it, for names that were claimed and for no others.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { connect } from 'node:tls';
import { startGatehouse } from '../fixtures/gatehouse.ts';

interface Shown {
  readonly names: string;
  readonly status: number;
}

/** One connection, from its ClientHello to the answer to a request. */
function visit(port: number, servername: string, ca: Buffer): Promise<Shown> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, servername, ca });
    socket.once('error', reject);
    socket.once('secureConnect', () => {
      socket.write(`GET / HTTP/1.1\r\nHost: ${servername}\r\nConnection: close\r\n\r\n`);
      let text = '';
      socket.on('data', (chunk) => (text += chunk));
      socket.on('end', () =>
        resolve({ names: socket.getPeerX509Certificate()?.subjectAltName ?? '', status: Number(text.slice(9, 12)) }),
      );
    });
  });
}

test('a handshake waits for the certificate of a claimed name', async (t) => {
  const asked: string[] = [];
  const upstream = createServer((request, response) => {
    const name = new URL(request.url!, 'http://upstream').searchParams.get('domain');
    if (name === null) return void response.end('hello');
    asked.push(name);
    response.writeHead(name.endsWith('.localhost') && !name.startsWith('no.') ? 200 : 404).end();
  });
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  t.after(() => upstream.close());
  const url = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`;
  const gatehouse = await startGatehouse(t, {
    config: `
edge: { https_port: 0, http_port: 0, workers: 2 }
api: { port: 0 }
acme_server: { port: 0 }
agents: { port: 0 }
domains: { on_demand: { ask: ${url}, address_an_hour: 3 } }
`,
  });
  const { api, admin_token, ca_root_file, edge_https } = gatehouse.ready;
  const port = Number(new URL(edge_https).port);
  const ca = readFileSync(ca_root_file);
  const call = async (method: string, path: string, body?: object) => {
    const answer = await fetch(`${api}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${admin_token}`, 'content-type': 'application/json' },
      ...(body && { body: JSON.stringify(body) }),
    });
    assert.ok(answer.ok, `${method} ${path}: ${answer.status}`);
    return ((await answer.json()) as { data: { tls_status: string; certificate: unknown; why: { summary: string } } })
      .data;
  };
  await call('POST', '/apps', { id: 'shop', upstreams: [url] });
  const add = (domain: string) => call('POST', '/apps/shop/domains', { domain, on_demand: true });
  for (const name of ['first', 'second', 'third', 'fourth', 'no.way']) await add(`${name}.localhost`);

  await t.test('on demand: not before somebody comes, then at once, for all that came', async () => {
    assert.equal((await call('GET', '/apps/shop/domains/first.localhost')).certificate, null);
    const visitors = Array.from({ length: 6 }, () => visit(port, 'first.localhost', ca));
    for (const { names, status } of await Promise.all(visitors)) {
      assert.equal(names, 'DNS:first.localhost');
      assert.equal(status, 200);
    }
    assert.equal((await call('GET', '/apps/shop/domains/first.localhost')).tls_status, 'issued');
  });
  await t.test('a name that nobody claimed is refused at once, and nobody is asked about it', async () => {
    await assert.rejects(visit(port, 'random.localhost', ca), /unrecognized name/i);
    assert.equal(asked.includes('random.localhost'), false);
  });
  await t.test('the ask hook was proven with a random name, and its no is a refusal in the handshake', async () => {
    assert.match(asked[0]!, /^[0-9a-f]{20}\.com$/);
    await assert.rejects(visit(port, 'no.way.localhost', ca), /unrecognized name/i);
    assert.match((await call('GET', '/apps/shop/domains/no.way.localhost')).why.summary, /ask hook says no/);
  });
  await t.test('an address that asked for its share of names is refused', async () => {
    assert.equal((await visit(port, 'second.localhost', ca)).status, 200);
    await assert.rejects(visit(port, 'third.localhost', ca), /unrecognized name/i);
    assert.match((await call('GET', '/apps/shop/domains/third.localhost')).why.summary, /one address/);
    // Names that are served already are not counted.
    assert.equal((await visit(port, 'first.localhost', ca)).status, 200);
  });
  await t.test('who is faster than an ordinary claim waits as well', async () => {
    const claim = call('POST', '/apps/shop/domains', { domain: 'now.localhost' });
    await claim;
    assert.equal((await visit(port, 'now.localhost', ca)).status, 200);
  });
});
