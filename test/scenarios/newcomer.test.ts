// The README's first section, as a newcomer does it: the commands are taken from the README, with free ports put in.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:http2';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { WebSocket } from 'ws';
import { blocksOf } from '../fixtures/documents.ts';
import { ROOT, startGatehouse } from '../fixtures/gatehouse.ts';
import { needProgram } from '../fixtures/peer.ts';
import { startSampleUpstream } from '../fixtures/sample-upstream.ts';

const run = promisify(execFile);

test('the README from the second terminal on: a name, a certificate, HTTPS, and where it stands', async (t) => {
  if (needProgram(t, 'curl') === undefined) return;
  const upstream = await startSampleUpstream(t);
  const gatehouse = await startGatehouse(t);
  const edgePort = new URL(gatehouse.ready.edge_https).port;
  const shell = async (script: string) => {
    const ported = script
      .replaceAll('127.0.0.1:3000', `127.0.0.1:${upstream.port}`)
      .replaceAll(':8443', `:${edgePort}`);
    const env = { ...process.env, GATEHOUSE_DATA_DIR: gatehouse.dataDir };
    return run('bash', ['-euo', 'pipefail', '-c', ported], { cwd: ROOT, env });
  };
  const commands = blocksOf('README.md').filter(({ text }) => /^npx gatehouse/.test(text));
  assert.equal(commands.length, 2, 'the README has the blocks that this test runs');

  const published = await shell(commands[0]!.text);
  for (const step of ['order', 'challenge', 'validat', 'issued', 'served'])
    assert.match(published.stdout + published.stderr, new RegExp(step, 'i'), `progress shows ${step}`);
  assert.match(published.stdout, /Hello from the upstream\. You asked shop\.localhost/);

  const standing = await shell(commands[1]!.text);
  assert.match(standing.stdout, /shop\.localhost/);
  assert.match(standing.stdout, /valid/);
  assert.match(standing.stdout, /renew/i, 'it says what comes next');

  const ca = readFileSync(gatehouse.ready.ca_root_file);
  await t.test('over HTTP/2', async () => {
    const session = connect(`https://shop.localhost:${edgePort}`, { ca, lookup: loopback });
    const stream = session.request({ ':path': '/over-h2' });
    const [headers] = await once(stream, 'response');
    assert.equal(headers[':status'], 200);
    assert.match(String(Buffer.concat(await stream.toArray())), /over-h2/);
    session.close();
  });
  await t.test('a WebSocket works through it', async () => {
    const socket = new WebSocket(`wss://shop.localhost:${edgePort}/`, { ca, lookup: loopback });
    await once(socket, 'open');
    socket.send('are you there?');
    const [answer] = await once(socket, 'message');
    assert.equal(String(answer), 'are you there?');
    socket.close();
  });
  await t.test('an unknown name gets no certificate', async () => {
    const { stderr } = await run('curl', ['-sS', '-k', `https://other.localhost:${edgePort}/`]).catch((error) => error);
    assert.match(stderr, /alert|handshake|SSL/i);
  });
});

// The resolver of a machine need not know RFC 6761 names; curl does.
const loopback = ((_host: string, options: { all?: boolean }, callback: (...result: unknown[]) => void) =>
  options.all ? callback(null, [{ address: '127.0.0.1', family: 4 }]) : callback(null, '127.0.0.1', 4)) as never;
