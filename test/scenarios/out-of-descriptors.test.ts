// A worker that has no descriptor left for another connection loses that connection, and nothing else.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { get } from 'node:https';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createTestAuthority } from '../fixtures/certificate.ts';
import { startProxy } from '../fixtures/proxy.ts';
import { startSampleUpstream } from '../fixtures/sample-upstream.ts';
import { temporaryDirectory } from '../fixtures/temporary.ts';

const DESCRIPTORS = 120;

test('connections beyond the descriptors of a worker do not end it', async (t) => {
  const upstream = await startSampleUpstream(t);
  const directory = temporaryDirectory(t);
  const authority = createTestAuthority();
  const { cert, key } = authority.issue(['shop.example.com']);
  writeFileSync(join(directory, 'shop.pem'), cert);
  writeFileSync(join(directory, 'shop.key'), key, { mode: 0o600 });
  const proxy = startProxy(
    t,
    {
      workers: 1,
      listeners: [
        {
          id: 'main',
          address: '127.0.0.1',
          https_port: 0,
          tls: { mode: 'manual', certificates: [{ cert: 'shop.pem', key: 'shop.key' }], handshake_timeout_seconds: 60 },
        },
      ],
      sites: [{ hosts: ['shop.example.com'], upstreams: [upstream.url] }],
    },
    directory,
    { through: ['prlimit', `--nofile=${DESCRIPTORS}:${DESCRIPTORS}`] },
  );
  const { edge_https } = await proxy.ready;
  const port = Number(new URL(edge_https).port);
  assert.equal(await status(port, authority.ca), 200);
  const before = await workers(proxy);

  const held = await hold(t, port, 2 * DESCRIPTORS);

  assert.deepEqual(await workers(proxy), before, 'it is there while they are');
  for (const socket of held) socket.destroy();
  // The queue is emptied in its own time: asked until it answers again.
  await answered(port, authority.ca);
  assert.deepEqual(await workers(proxy), before, 'the same process serves on');
});

async function workers(proxy: ReturnType<typeof startProxy>): Promise<unknown> {
  const { workers: list } = JSON.parse((await proxy.admin('GET', '/status')).body) as { workers: { pid: number }[] };
  return list.map(({ pid }) => pid);
}

function hold(t: TestContext, port: number, count: number): Promise<Socket[]> {
  const sockets = Array.from({ length: count }, () => connect(port, '127.0.0.1'));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
  });
  return Promise.all(
    sockets.map(
      (socket) => new Promise<Socket>((resolve) => socket.once('connect', () => resolve(socket)).on('error', () => {})),
    ),
  );
}

async function answered(port: number, ca: string): Promise<void> {
  while ((await status(port, ca).catch(() => 0)) !== 200);
}

const status = (port: number, ca: string): Promise<number> =>
  new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, servername: 'shop.example.com', ca, agent: false } as const;
    get({ ...options, headers: { host: 'shop.example.com' } }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    }).on('error', reject);
  });
