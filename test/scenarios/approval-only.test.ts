// Approval is the only path to the executor: every route, every tool and every command is tried by somebody with every
// permission, and nothing runs; only then one press of Approve does it.
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import type { Command } from 'commander';
import { createProgram } from '../../src/cli/program.ts';
import { runCli } from '../../src/cli/run.ts';
import { ROOT, type RunningGatehouse, startGatehouse } from '../fixtures/gatehouse.ts';

const HOST = 'metrics.localhost';
const EXPOSE = {
  service_hostname: HOST,
  service_protocol: 'http',
  sdwan_network_id: 'local',
  sdwan_hub_peer_id: 'hub-1',
  vip_cidr: '127.7.0.10/32',
  backend_port: 9001,
  target_peer_id: 'app-1',
};
/** What somebody who wants it to run without approval might send anywhere. */
const PUSH = { approve: true, approved: true, status: 'approved', force: true, run: true, confirm: HOST, reason: 'x' };

async function api(gatehouse: RunningGatehouse, method: string, path: string, body?: unknown) {
  const response = await fetch(`${gatehouse.ready.api}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${gatehouse.ready.admin_token}`,
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(5_000),
  });
  const text = await response.text().catch(() => '');
  return {
    status: response.status,
    data: text.startsWith('{') ? (JSON.parse(text) as { data?: never }).data : undefined,
  };
}

async function world(t: TestContext) {
  const gatehouse = await startGatehouse(t);
  const make = async (path: string, body: object): Promise<{ id: string }> => {
    const { status, data } = await api(gatehouse, 'POST', `/api/v1${path}`, body);
    assert.equal(status, 201, `${path} ${status}`);
    return data as unknown as { id: string };
  };
  await make('/system/sdwan/networks', { name: 'local', ipv4: '127.7.0.0/24' });
  const peer = (more: object) => make('/system/sdwan/peers', { network_id: 'local', ...more });
  const hub = { name: 'hub-1', ipv4: '127.7.0.1', publicly_reachable: true, public_ipv4: '127.0.0.1' };
  await peer({ ...hub, proxy: { https_port: 1, http_port: Number(new URL(gatehouse.ready.edge_http).port) } });
  await peer({ name: 'app-1', ipv4: '127.7.0.2' });
  const mission = await make('/missions', { kind: 'expose_service_publicly', inputs: EXPOSE });
  /** Nothing ran: nothing was made, and every mission that there is waits. */
  const idle = async (after: string) => {
    const read = async (path: string) => (await api(gatehouse, 'GET', `/api/v1${path}`)).data as unknown as object[];
    const missions = (await read('/missions?limit=200')) as { status: string; steps_completed: string[] }[];
    assert.ok(missions.length > 0);
    for (const one of missions)
      assert.ok(
        ['proposed', 'expired'].includes(one.status) && one.steps_completed.length === 0,
        `${after}: ${one.status}`,
      );
    assert.deepEqual(await read('/system/exposures'), [], after);
    assert.deepEqual(await read('/system/ingress_routes'), [], after);
    const mappings = (await read('/system/sdwan/port_mappings')) as { opened: boolean }[];
    assert.deepEqual(
      mappings.filter(({ opened }) => opened),
      [],
      after,
    );
  };
  return { gatehouse, mission: mission.id, idle };
}

interface Operation {
  readonly parameters?: readonly { name: string; in: string }[];
}

test('every route but approval, with every permission: nothing runs', async (t) => {
  const { gatehouse, mission, idle } = await world(t);
  const response = await fetch(`${gatehouse.ready.api}/api/v1/openapi.json`);
  const { paths } = (await response.json()) as { paths: Record<string, Record<string, Operation>> };
  let tried = 0;
  for (const [path, methods] of Object.entries(paths))
    for (const method of Object.keys(methods).map((one) => one.toUpperCase())) {
      if (/\/missions\/\{\w+\}\/(approve|reject)$/.test(path)) continue;
      const filled = path.replaceAll(/\{\w+\}/g, mission);
      // The ends of sessions and tokens, and streams that never end, have nothing to do with it.
      if (method === 'DELETE' && path.includes('/tokens')) continue;
      const bodies =
        method === 'GET' || method === 'DELETE'
          ? [undefined]
          : [
              {},
              PUSH,
              { ...EXPOSE, ...PUSH },
              { kind: 'expose_service_publicly', inputs: EXPOSE, ...PUSH },
              { text: `approve ${mission}` },
            ];
      for (const body of bodies) {
        tried++;
        await api(gatehouse, method, filled, body).catch(() => {});
      }
    }
  assert.ok(tried > 100, `${tried} requests`);
  await idle('after every route');
  const approved = await api(gatehouse, 'POST', `/api/v1/missions/${mission}/approve`);
  assert.equal(approved.status, 200);
  const { status } = approved.data as unknown as { status: string };
  assert.ok(['approved', 'running', 'succeeded'].includes(status), status);
});

test('every tool and every command but approval, with every permission: nothing runs', async (t) => {
  const { gatehouse, mission, idle } = await world(t);
  const client = new Client({ name: 'test', version: '1' });
  const requestInit = { headers: { authorization: `Bearer ${gatehouse.ready.admin_token}` } };
  await client.connect(new StreamableHTTPClientTransport(new URL(gatehouse.ready.mcp), { requestInit }) as Transport);
  t.after(() => client.close());
  const { tools } = await client.listTools();
  assert.ok(tools.length >= 25);
  const ids = { mission_id: mission, certificate_id: HOST, dns_credential_id: mission, name: HOST, common_name: HOST };
  for (const { name, inputSchema } of tools) {
    const own = Object.keys((inputSchema.properties ?? {}) as object);
    const fitting = Object.fromEntries(
      Object.entries({ ...EXPOSE, ...ids, ...PUSH }).filter(([key]) => own.includes(key)),
    );
    for (const input of [fitting, { ...fitting, ...PUSH }, {}])
      await client.callTool({ name, arguments: input }).catch(() => {});
  }
  for (const name of ['approve', 'missions_approve', 'system_approve_mission', 'system_run_mission'])
    await assert.rejects(
      client.callTool({ name, arguments: { mission_id: mission } }).then((answer) => {
        if (answer.isError === true) throw new Error('refused');
      }),
    );
  await idle('after every tool');

  const env = {
    GATEHOUSE_API_URL: gatehouse.ready.api,
    GATEHOUSE_TOKEN: gatehouse.ready.admin_token ?? '',
    GATEHOUSE_DATA_DIR: gatehouse.dataDir,
  };
  const nowhere = () => new Writable({ write: (_part, _encoding, done) => done() });
  const streams = { stdout: nowhere(), stderr: nowhere() } as unknown as Pick<NodeJS.Process, 'stdout' | 'stderr'>;
  const leaves = (command: Command, words: readonly string[]): { words: readonly string[]; takes: number }[] =>
    command.commands.length === 0
      ? [{ words, takes: command.registeredArguments.length }]
      : command.commands.flatMap((child) => leaves(child, [...words, child.name()]));
  const commands = leaves(createProgram(env, streams), []).filter(
    ({ words }) => !/^(missions (approve|reject)|tokens revoke|ca serve|ca trust|domains add)/.test(words.join(' ')),
  );
  assert.ok(commands.length > 40, `${commands.length} commands`);
  const options = ['--network', 'local', '--hub', 'hub-1', '--vip', '127.7.0.11/32', '--backend-port', '9001'];
  for (const { words, takes } of commands) {
    const values = Array.from({ length: takes }, () => mission);
    const more = words[0] === 'expose' ? [...options, '--target-peer', 'app-1', '--protocol', 'http'] : [];
    for (const last of [[], ['--json']]) await runCli([...words, ...values, ...more, ...last], env, streams);
  }
  await idle('after every command');
  assert.equal(await runCli(['missions', 'approve', mission], env, streams), 0);
});

test('only what takes an approved mission calls the executor, and only the executor calls steps', () => {
  const users = (word: RegExp) =>
    globSync('src/**/*.ts', { cwd: ROOT })
      .filter((path) => !path.endsWith('.test.ts') && word.test(readFileSync(join(ROOT, path), 'utf8')))
      .sort();
  assert.deepEqual(users(/\brunMission\(/), ['src/missions/reconcile.ts', 'src/missions/run.ts']);
  assert.deepEqual(users(/\btakeApproved\(/), ['src/missions/approved.ts', 'src/missions/reconcile.ts']);
  assert.deepEqual(users(/\[proof\]: true\b/), ['src/missions/approved.ts']);
  assert.deepEqual(users(/\.runners\b/), ['src/missions/run.ts'], 'steps are taken from a kind by the executor alone');
  for (const step of ['makeVirtualIp', 'makePortMapping', 'getCertificate', 'composeProxy', 'probeService'])
    assert.deepEqual(
      users(new RegExp(`\\b${step}\\(`)).filter((path) => !path.startsWith('src/ingress/step-')),
      ['src/ingress/expose.ts'],
      step,
    );
});
