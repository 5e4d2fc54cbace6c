import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { WebSocket, WebSocketServer } from 'ws';
import { eachEngine, talk } from '../../../test/fixtures/edge-plane.ts';
import type { Route } from '../../picture/index.ts';
import { planRoutes } from '../config/plan-routes.ts';

async function upstream(t: TestContext, listener: RequestListener): Promise<{ url: string; server: Server }> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server };
}

const echoFields: RequestListener = (request, response) => response.end(JSON.stringify(request.headers));
const route = (url: string, more: Partial<Route> = {}): Route => ({
  id: 'r1',
  host: 'shop.example.com',
  path: '/',
  upstreams: [{ url }],
  ...more,
});
const get = (path: string, host: string, more = '') =>
  `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n${more}Connection: close\r\n\r\n`;
const fieldsOf = (answer: string) => JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4)) as Record<string, string>;

eachEngine(
  'hosts are names, wildcards of one label and international names; the longest path prefix wins',
  async (t, startPlane) => {
    const named = async (name: string) => (await upstream(t, (_, response) => response.end(`by ${name};`))).url;
    const [exact, wild, deep, idn] = await Promise.all(['exact', 'wild', 'deep', 'idn'].map(named));
    const routes = planRoutes(
      [
        { hosts: ['www.example.com'], upstreams: [exact!], paths: [{ path: '/api/v1', upstreams: [deep!] }] },
        { hosts: ['*.example.com'], upstreams: [wild!] },
        { hosts: ['bücher.example'], upstreams: [idn!] },
      ],
      () => '',
    );
    const { port } = await startPlane(t, { routes });
    const ask = async (host: string, path = '/') =>
      /by (\w+);|^HTTP\/1\.1 (\d+)/.exec((await talk(port, get(path, host))).split('\r\n\r\n').at(-1)!)?.[1] ?? 'none';
    assert.equal(await ask('www.example.com'), 'exact');
    assert.equal(await ask('WWW.Example.COM.:8443'), 'exact');
    assert.equal(await ask('other.example.com'), 'wild');
    assert.equal(await ask('a.other.example.com'), 'none');
    assert.equal(await ask('example.com'), 'none');
    assert.equal(await ask('xn--bcher-kva.example'), 'idn');
    assert.equal(await ask('www.example.com', '/api/v1'), 'deep');
    assert.equal(await ask('www.example.com', '/api/v1/x?y'), 'deep');
    assert.equal(await ask('www.example.com', '/api/v10'), 'exact');
  },
);

eachEngine('a trusted proxy is believed and appended to; nobody else is', async (t, startPlane) => {
  const { url } = await upstream(t, echoFields);
  const more = 'X-Forwarded-For: 198.51.100.1, 10.0.0.9\r\nX-Forwarded-Proto: https\r\nForwarded: for=198.51.100.1\r\n';
  const seenFrom = async (remoteAddress: string) => {
    const settings = { trustedProxies: ['10.0.0.0/8'] };
    const { port } = await startPlane(t, { routes: [route(url)], settings, info: { remoteAddress } });
    return fieldsOf(await talk(port, get('/', 'shop.example.com', more)));
  };
  const behind = await seenFrom('10.0.0.7');
  assert.equal(behind['x-forwarded-for'], '198.51.100.1, 10.0.0.9, 10.0.0.7');
  assert.equal(behind['x-forwarded-proto'], 'https');
  assert.equal(behind['x-real-ip'], '198.51.100.1');
  assert.match(behind.forwarded!, /^for=198\.51\.100\.1, for=10\.0\.0\.7;/);
  const direct = await seenFrom('203.0.113.5');
  assert.equal(direct['x-forwarded-for'], '203.0.113.5');
  assert.equal(direct['x-forwarded-proto'], 'http');
  assert.equal(direct.via, undefined);
});

eachEngine(
  "HSTS is on answers and redirects of a secure site, instead of the upstream's, and never in the clear",
  async (t, startPlane) => {
    const { url } = await upstream(t, (_, response) =>
      response.setHeader('strict-transport-security', 'max-age=1').end(),
    );
    const response = { hsts: { maxAgeSeconds: 600, includeSubDomains: true } };
    const routes = [
      route(url, { response }),
      route(url, { id: 'r2', path: '/old', response, redirect: { to: 'https://new.example' } }),
    ];
    const hsts = async (secure: boolean, path: string) => {
      const { port } = await startPlane(t, { routes, info: { secure } });
      return /strict-transport-security: (.*)\r\n/i.exec(await talk(port, get(path, 'shop.example.com')))?.[1];
    };
    assert.equal(await hsts(true, '/'), 'max-age=600; includeSubDomains');
    assert.equal(await hsts(true, '/old'), 'max-age=600; includeSubDomains');
    assert.equal(await hsts(false, '/old'), undefined);
  },
);

eachEngine('server-sent events arrive one by one, as they are sent', async (t, startPlane) => {
  let send = (_: string) => {};
  const { url } = await upstream(t, (_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
    send = (text) => void response.write(`data: ${text}\n\n`);
  });
  const { port } = await startPlane(t, { routes: [route(url)] });
  const asked = request({ port, host: '127.0.0.1', headers: { host: 'shop.example.com' }, agent: false }).end();
  const [answer] = await once(asked, 'response');
  for (const text of ['one', 'two', 'three']) {
    send(text);
    const [piece] = await once(answer, 'data');
    assert.equal(String(piece), `data: ${text}\n\n`);
  }
  asked.destroy();
});

eachEngine('100-continue is the answer of the upstream, before the body is sent', async (t, startPlane) => {
  const { url, server } = await upstream(t, () => {});
  server.on('checkContinue', (asked, response) => {
    if (asked.headers['x-no'] !== undefined) response.writeHead(403).end();
    else {
      response.writeContinue();
      asked.pipe(response);
    }
  });
  const { port } = await startPlane(t, { routes: [route(url)] });
  const ask = (fields: Record<string, string>) =>
    request({
      port,
      host: '127.0.0.1',
      method: 'POST',
      agent: false,
      headers: { host: 'shop.example.com', expect: '100-continue', 'content-length': '5', ...fields },
    });
  const good = ask({});
  good.flushHeaders();
  await once(good, 'continue');
  good.end('hello');
  const [answer] = await once(good, 'response');
  assert.equal(String((await once(answer, 'data'))[0]), 'hello');
  const bad = ask({ 'x-no': '1' });
  bad.on('error', () => {});
  bad.flushHeaders();
  assert.equal((await once(bad, 'response'))[0].statusCode, 403);
  bad.destroy();
});

eachEngine('a WebSocket works through the edge, with its close code', async (t, startPlane) => {
  const { url, server } = await upstream(t, (_, response) => response.end());
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket) => {
    socket.on('message', (data, binary) => socket.send(data, { binary }));
  });
  const { port } = await startPlane(t, { routes: [route(url)] });
  const socket = new WebSocket(`ws://127.0.0.1:${port}/`, { headers: { host: 'shop.example.com' } });
  await once(socket, 'open');
  const large = Buffer.alloc(300_000, 'x');
  socket.send(large);
  const [echoed] = await once(socket, 'message');
  assert.equal(large.equals(echoed), true);
  socket.close(4001, 'enough');
  assert.equal((await once(socket, 'close'))[0], 4001);
});

eachEngine(
  'host and server name must agree; a site that wants a client certificate takes no other name',
  async (t, startPlane) => {
    const { url } = await upstream(t, echoFields);
    const routes = [route(url), route(url, { id: 'r2', host: 'safe.example.com', clientCertificate: 'required' })];
    const clientCertificate = { subject: 'CN=ann', names: ['email:ann@example.com'], serial: '01', fingerprint: 'ab' };
    const ask = async (serverName: string, host: string, certificate = true) => {
      const info = { secure: true, serverName, covers: () => true, ...(certificate && { clientCertificate }) };
      const { port } = await startPlane(t, { routes, info });
      return talk(port, get('/', host, 'X-Client-Cert-Subject: CN=forged\r\nX_Client_Cert_Names: forged\r\n'));
    };
    assert.match(await ask('shop.example.com', 'safe.example.com'), /^HTTP\/1\.1 421 /);
    assert.match(await ask('safe.example.com', 'safe.example.com', false), /^HTTP\/1\.1 403 /);
    const seen = fieldsOf(await ask('safe.example.com', 'safe.example.com'));
    assert.equal(seen['x-client-cert-subject'], 'CN=ann');
    assert.equal(seen['x-client-cert-names'], 'email:ann@example.com');
    assert.equal(JSON.stringify(seen).includes('forged'), false);
    const { port } = await startPlane(t, { routes, info: { secure: true, serverName: 'shop.example.com' } });
    assert.match(await talk(port, get('/', 'safe.example.com')), /^HTTP\/1\.1 421 /);
  },
);
