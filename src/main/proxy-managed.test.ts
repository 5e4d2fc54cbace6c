import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { connect } from 'node:tls';
import { startGatehouse } from '../../test/fixtures/gatehouse.ts';
import { startProxy } from '../../test/fixtures/proxy.ts';
import { temporaryDirectory } from '../../test/fixtures/temporary.ts';

test('a listener of mode managed serves what a control half has, and what it had when that is away', async (t) => {
  const upstream = createServer((_, response) => response.end('here')).listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  t.after(() => {
    upstream.closeAllConnections();
    upstream.close();
  });
  const upstreamUrl = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`;
  const gatehouse = await startGatehouse(t, {
    config:
      'edge: { https_port: 0, http_port: 0, workers: 1 }\napi: { port: 0 }\nacme_server: { port: 0 }\nagents: { port: 0 }\npublish: { traefik_http: {} }\n',
  });
  const done = async (...argv: string[]) => {
    const { code, stdout, stderr } = await gatehouse.cli(...argv);
    assert.equal(code, 0, stderr);
    return stdout;
  };
  await done('apps', 'create', 'shop', '--upstream', upstreamUrl);
  await done('domains', 'add', 'shop.localhost', '--app', 'shop');
  const directory = temporaryDirectory(t);
  const config = {
    workers: 1,
    state_dir: 'state',
    listeners: [
      {
        id: 'main',
        address: '127.0.0.1',
        https_port: 0,
        tls: { mode: 'managed', control: gatehouse.ready.api, token_file: 'token' },
      },
    ],
    sites: [{ hosts: ['shop.localhost'], upstreams: [upstreamUrl] }],
  };
  const start = () => startProxy(t, config, directory);

  writeFileSync(join(directory, 'token'), 'gh_nothing');
  const refused = start();
  assert.equal(await refused.ended, 1);
  assert.match(refused.output(), /answered 401: the token of token_file is not known there/);

  const made = JSON.parse(await done('tokens', 'create', 'edge', '--permission', 'system.ingress.manage', '--json'));
  writeFileSync(join(directory, 'token'), (made.data ?? made).token);
  const ca = readFileSync(gatehouse.ready.ca_root_file, 'utf8');
  const ask = async (proxy: ReturnType<typeof start>) => {
    const port = Number(new URL((await proxy.ready).edge_https).port);
    const socket = connect({ port, host: '127.0.0.1', servername: 'shop.localhost', ca });
    socket.write('GET / HTTP/1.1\r\nHost: shop.localhost\r\nConnection: close\r\n\r\n');
    return text(socket);
  };
  const first = start();
  assert.match(await ask(first), /^HTTP\/1\.1 200 [\s\S]*here$/);
  const status = JSON.parse((await first.admin('GET', '/certificates')).body);
  assert.match(JSON.stringify(status), /shop\.localhost/);
  assert.equal(statSync(join(directory, 'state/main/managed.json')).mode & 0o777, 0o600);

  await gatehouse.stop();
  await first.logged(/the control half gives no certificates; those that are served stay/);
  assert.match(await ask(first), /here$/);
  await first.stop();
  const second = start();
  assert.match(await ask(second), /here$/);
  assert.match(second.output(), /the control half does not answer; certificates that it gave earlier are served/);
});
