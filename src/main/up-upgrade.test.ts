import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { startGatehouse } from '../../test/fixtures/gatehouse.ts';
import { temporaryDirectory } from '../../test/fixtures/temporary.ts';
import { until } from '../../test/fixtures/until.ts';

test('SIGUSR2 has a new gatehouse up take over: the edge refuses nothing meanwhile', async (t) => {
  const dataDir = join(temporaryDirectory(t), 'data');
  let now = 0;
  t.after(() => now !== 0 && process.kill(now, 'SIGTERM'));
  const first = await startGatehouse(t, { dataDir });
  const port = Number(new URL(first.ready.edge_http).port);
  const ask = async () => {
    const socket = connect(port, '127.0.0.1');
    socket.write('GET / HTTP/1.1\r\nHost: nobody.test\r\nConnection: close\r\n\r\n');
    assert.match(await text(socket), /^HTTP\/1\.1 403 /);
  };
  let over = false;
  let answered = 0;
  const load = Promise.all(
    Array.from({ length: 4 }, async () => {
      for (; !over; answered++) await ask();
    }),
  );
  first.process.kill('SIGUSR2');
  const ended = await Promise.race([first.ended, load.then(() => 'the load')]);
  const taken = /process (\d+) has taken over/;
  await until('word of it', async () => taken.test(first.output()));
  now = Number(taken.exec(first.output())?.[1]);
  assert.equal(ended, 0);
  const from = answered;
  await Promise.race([load, until('answers of the new one', async () => answered > from + 20)]);
  over = true;
  await load;
  const { code, stdout, stderr } = await first.cli('status', '--json');
  assert.equal(code, 0, stderr);
  assert.ok(JSON.parse(stdout));
});

test('a new gatehouse up that does not get there leaves the old one as it was', async (t) => {
  const dataDir = join(temporaryDirectory(t), 'data');
  const gatehouse = await startGatehouse(t, { dataDir });
  writeFileSync(join(dataDir, 'master.key'), 'damaged');
  gatehouse.process.kill('SIGUSR2');
  await until('a refusal', async () => /no upgrade: the new process did not get to serve/.test(gatehouse.output()));
  const port = Number(new URL(gatehouse.ready.edge_http).port);
  const socket = connect(port, '127.0.0.1');
  socket.write('GET / HTTP/1.1\r\nHost: nobody.test\r\nConnection: close\r\n\r\n');
  assert.match(await text(socket), /^HTTP\/1\.1 403 /);
  const { code, stderr } = await gatehouse.cli('status');
  assert.equal(code, 0, stderr);
});
