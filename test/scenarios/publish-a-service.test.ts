// From a sentence to a page over HTTPS on one machine, and back to nothing; by the command line and the API alone.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { request } from 'node:https';
import { test } from 'node:test';
import { type RunningGatehouse, startGatehouse } from '../fixtures/gatehouse.ts';

const HOST = 'metrics.localhost';

async function call(gatehouse: RunningGatehouse, method: string, path: string, body?: unknown) {
  const response = await fetch(`${gatehouse.ready.api}/api/v1${path}`, {
    method,
    headers: {
      authorization: `Bearer ${gatehouse.ready.admin_token}`,
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const answer = response.status === 204 ? undefined : ((await response.json()) as { data: Record<string, never> });
  assert.ok(response.ok, `${method} ${path}: ${JSON.stringify(answer)}`);
  return answer?.data as unknown as Record<string, string> & { choices: { value: string; label: string }[] };
}

async function json(gatehouse: RunningGatehouse, ...argv: string[]): Promise<Record<string, never>> {
  const { code, stdout, stderr } = await gatehouse.cli(...argv, '--json');
  assert.equal(code, 0, `${argv.join(' ')}: ${stderr}${stdout}\n${gatehouse.output()}`);
  return JSON.parse(stdout) as Record<string, never>;
}

const page = (gatehouse: RunningGatehouse): Promise<{ status: number; body: string }> =>
  new Promise((resolve, reject) => {
    const { port } = new URL(gatehouse.ready.edge_https);
    const options = { host: '127.0.0.1', port, servername: HOST, headers: { host: HOST }, agent: false } as const;
    request({ ...options, ca: readFileSync(gatehouse.ready.ca_root_file) }, (response) => {
      let body = '';
      response.on('data', (part) => {
        body += part;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
    })
      .on('error', reject)
      .end();
  });

test('a sentence becomes a mission, an approval a page, and withdrawing leaves nothing', async (t) => {
  // All of 127.0.0.0/8 answers here, so a virtual IP in it needs no agent.
  const backend = createServer((incoming, response) => response.end(`hello from ${incoming.headers.host}`));
  await new Promise<void>((resolve) => backend.listen(0, '127.7.0.10', resolve));
  t.after(() => backend.close());
  const { port: backendPort } = backend.address() as { port: number };
  const gatehouse = await startGatehouse(t);
  const edgePort = new URL(gatehouse.ready.edge_https).port;

  const network = await json(gatehouse, 'networks', 'create', 'name=local', 'ipv4=127.7.0.0/24');
  const peer = (...settings: string[]) =>
    json(gatehouse, 'networks', 'peers', 'create', `network_id=${network.id}`, ...settings);
  await peer('name=hub-1', 'ipv4=127.7.0.1', 'publicly_reachable=true', 'public_ipv4=127.0.0.1');
  await peer('name=app-1', 'ipv4=127.7.0.2');

  const { id } = await call(gatehouse, 'POST', '/concierge/conversations');
  const say = (text: string) => call(gatehouse, 'POST', `/concierge/conversations/${id}/messages`, { text });
  const first = await say(
    `make ${HOST} reachable from the internet at port ${backendPort} over https on public port ${edgePort}, it runs on app-1`,
  );
  assert.equal(first.asks, 'vip_cidr', JSON.stringify(first));
  assert.equal((await say('127.7.0.10/32')).asks, 'tls_issuer');
  const proposed = await say('internal-ca');
  assert.ok(proposed.mission_id, JSON.stringify(proposed));

  const before = await page(gatehouse).catch((error: Error) => error);
  assert.ok(before instanceof Error || before.status !== 200, 'nothing is there before approval');
  const mission = await json(gatehouse, 'missions', 'approve', proposed.mission_id);
  assert.equal(mission.status, 'succeeded', JSON.stringify(mission));
  assert.deepEqual(mission.steps_completed, ['virtual_ip', 'port_mapping', 'certificate', 'proxy', 'probe']);
  assert.deepEqual(await page(gatehouse), { status: 200, body: `hello from ${HOST}` });
  const routes = await call(gatehouse, 'GET', '/system/ingress_routes');
  assert.match(JSON.stringify(routes), /metrics\.localhost/);
  const [exposure] = (await json(gatehouse, 'exposures', 'list')) as unknown as Record<string, unknown>[];
  assert.deepEqual(
    [exposure?.status, exposure?.public_url, exposure?.mission_id],
    ['exposed', `https://${HOST}:${edgePort}/`, proposed.mission_id],
  );

  // A certificate of several names is as good, and none is got beside it.
  await json(gatehouse, 'certificates', 'create', 'files.localhost', 'more.localhost', '--issuer', 'internal-ca');
  const flags = ['--network', 'local', '--hub', 'hub-1', '--target-peer', 'app-1', '--issuer', 'internal-ca'];
  const places = ['--vip', '127.7.0.11/32', '--backend-port', String(backendPort), '--listen-port', edgePort];
  const second = await json(gatehouse, 'expose', 'files.localhost', ...flags, ...places);
  const { plan } = second as unknown as { plan: { step: string; action: string; detail: string }[] };
  const step = plan.find((one) => one.step === 'certificate');
  assert.match(
    `${step?.action} ${step?.detail}`,
    /^reuse internal-ca certificate for files\.localhost, more\.localhost/,
  );
  assert.equal((await json(gatehouse, 'missions', 'approve', String(second.id))).status, 'succeeded');
  const certificates = (await json(gatehouse, 'certificates', 'list')) as unknown as { names: string[] }[];
  assert.deepEqual(
    certificates.map(({ names }) => names.join()).filter((names) => names.includes('files')),
    ['files.localhost,more.localhost'],
  );
  await json(gatehouse, 'missions', 'approve', String((await json(gatehouse, 'unexpose', 'files.localhost')).id));

  const down = await json(gatehouse, 'unexpose', HOST);
  const withdrawn = await json(gatehouse, 'missions', 'approve', String(down.id));
  assert.equal(withdrawn.status, 'succeeded', JSON.stringify(withdrawn));
  const after = await page(gatehouse).catch((error: Error) => error);
  assert.ok(after instanceof Error || after.status !== 200, 'the page is gone');
  for (const kind of ['virtual_ips', 'port_mappings'])
    assert.deepEqual(await call(gatehouse, 'GET', `/system/sdwan/${kind}`), [], kind);
  assert.deepEqual(await call(gatehouse, 'GET', '/system/ingress_routes'), []);

  const audit = JSON.stringify(await call(gatehouse, 'GET', '/audit_events?limit=100'));
  for (const action of ['mission.propose', 'mission.approve', 'peer.create']) assert.ok(audit.includes(action), action);
});
