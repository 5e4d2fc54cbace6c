// The edge goes on serving with the certificates it has while the control half is gone: zero failed requests.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { test } from 'node:test';
import { type RunningGatehouse, startGatehouse } from '../fixtures/gatehouse.ts';
import { startSampleUpstream } from '../fixtures/sample-upstream.ts';

const REQUESTS_AROUND_A_KILL = 400;

test('killing the control half under traffic fails no request, and it comes back by itself', async (t) => {
  const upstream = await startSampleUpstream(t);
  const gatehouse = await startGatehouse(t);
  await publish(gatehouse, 'shop.localhost', upstream.url);

  const ca = readFileSync(gatehouse.ready.ca_root_file);
  const keepAlive = new Agent({ keepAlive: true, ca, maxSockets: 8 });
  const fresh = new Agent({ keepAlive: false, ca, maxSockets: 8 });
  t.after(() => keepAlive.destroy());
  const ask = (agent: Agent) => get(agent, `${gatehouse.ready.edge_https}/`, 'shop.localhost');

  let running = true;
  let answered = 0;
  const failures: unknown[] = [];
  const customers = [keepAlive, keepAlive, keepAlive, fresh, fresh].map(async (agent) => {
    while (running) {
      await ask(agent).then(
        (status) => (status === 200 ? answered++ : failures.push(status)),
        (error) => failures.push(error),
      );
    }
  });
  const untilAnswered = async (count: number) => {
    while (answered < count && failures.length === 0) await ask(fresh);
  };

  for (const _round of [1, 2]) {
    await untilAnswered(answered + REQUESTS_AROUND_A_KILL);
    const before = await controlPid(gatehouse);
    process.kill(before, 'SIGKILL');
    await untilAnswered(answered + REQUESTS_AROUND_A_KILL);
    const after = await backAgain(gatehouse, before);
    assert.notEqual(after, before);
  }
  running = false;
  await Promise.all(customers);
  assert.deepEqual(failures.slice(0, 3), [], `${failures.length} failed of ${answered + failures.length}`);

  // What is published after the restart is served too.
  await publish(gatehouse, 'second.localhost', upstream.url);
  assert.equal(await get(fresh, `${gatehouse.ready.edge_https}/`, 'second.localhost'), 200);
});

async function publish(gatehouse: RunningGatehouse, name: string, upstream: string): Promise<void> {
  const app = name.split('.')[0]!;
  for (const argv of [
    ['apps', 'create', app, '--upstream', upstream],
    ['domains', 'add', name, '--app', app],
  ]) {
    const { code, stderr } = await gatehouse.cli(...argv);
    assert.equal(code, 0, stderr);
  }
}

async function controlPid(gatehouse: RunningGatehouse): Promise<number> {
  const response = await fetch(`${gatehouse.ready.api}/healthz`);
  return ((await response.json()) as { pid: number }).pid;
}

/** The process id of the control half once it answers again. */
async function backAgain(gatehouse: RunningGatehouse, before: number): Promise<number> {
  for (;;) {
    const pid = await controlPid(gatehouse).catch(() => before);
    if (pid !== before) return pid;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function get(agent: Agent, url: string, servername: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { agent, servername, headers: { host: servername } }, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode!));
      response.on('error', reject);
    });
    asked.on('error', reject);
    asked.end();
  });
}
