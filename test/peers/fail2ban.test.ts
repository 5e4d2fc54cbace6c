import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { ROOT } from '../fixtures/gatehouse.ts';
import { needProgram } from '../fixtures/peer.ts';
import { startProxy } from '../fixtures/proxy.ts';

const run = promisify(execFile);

test('fail2ban finds the clients that were refused, in our log and in an access log', async (t) => {
  const regex = needProgram(t, 'fail2ban-regex');
  if (regex === undefined) return;
  const proxy = startProxy(t, {
    workers: 1,
    limits: { requests_per_address: { per_second: 0.001, burst: 2 } },
    access_log: { format: 'combined', file: 'access.log' },
    trusted_proxies: ['127.0.0.1'],
    listeners: [{ id: 'main', address: '127.0.0.1', http_port: 0 }],
    sites: [{ hosts: ['127.0.0.1'], redirect: { to: 'https://elsewhere.example' }, plain: 'serve' }],
  });
  const { edge_http } = await proxy.ready;
  const ask = (client: string) =>
    fetch(`${edge_http}/`, { redirect: 'manual', headers: { 'x-forwarded-for': client } });
  for (let i = 0; i < 5; i++) await ask('192.0.2.7');
  await ask('2001:db8::1');
  assert.equal(await proxy.stop(), 0);
  const log = join(proxy.directory, 'gatehouse.log');
  writeFileSync(log, proxy.output());

  const found = async (file: string, filter: string) => {
    const path = join(ROOT, 'deploy', 'fail2ban', 'filter.d', filter);
    const { stdout } = await run(regex, ['--out', 'ip', file, path]);
    return stdout.trim().split('\n');
  };
  assert.deepEqual(await found(log, 'gatehouse.conf'), ['192.0.2.7', '192.0.2.7', '192.0.2.7']);
  const access = join(proxy.directory, 'access.log');
  assert.deepEqual(await found(access, 'gatehouse-access.conf'), ['192.0.2.7', '192.0.2.7', '192.0.2.7']);
});
