// Several people press Approve at the same moment, at one server and at two replicas on one PostgreSQL: one run, and
// everybody is told. Nobody approves their own mission by making a token.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { type TestContext, test } from 'node:test';
import { ALL_PERMISSIONS, type CreatedToken, type Mission, type MissionEvent } from '../../src/contract/index.ts';
import { callerOf, type RunningGatehouse, startGatehouse } from '../fixtures/gatehouse.ts';
import { startPostgres } from '../fixtures/postgres.ts';

const STRICT = [
  'edge: { https_port: 0, http_port: 0, workers: 1 }',
  'api: { port: 0 }',
  'acme_server: { port: 0 }',
  'agents: { port: 0 }',
  'missions: { asker_may_approve: false }',
];

/** The API as the holder of a token. */
async function call(gatehouse: RunningGatehouse, token: string, method: string, path: string, body?: object) {
  const answer = await fetch(`${gatehouse.ready.api}/api/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
  });
  const { data, ...problem } = (await answer.json()) as { data?: never; code?: string; detail?: string };
  return { status: answer.status, data: data as unknown, problem };
}

/** A service that can be exposed over http on this machine alone, and tokens of people who may do everything. */
async function world(t: TestContext, gatehouse: RunningGatehouse, subnet: number, admin: string) {
  const backend = createServer((_incoming, response) => response.end('hello'));
  await new Promise<void>((resolve) => backend.listen(0, `127.${subnet}.0.10`, resolve));
  t.after(() => backend.close());
  const make = async <T>(token: string, path: string, body: object): Promise<T> => {
    const { status, data, problem } = await call(gatehouse, token, 'POST', path, body);
    assert.equal(status, 201, JSON.stringify(problem));
    return data as T;
  };
  await make(admin, '/system/sdwan/networks', { name: 'local', ipv4: `127.${subnet}.0.0/24` });
  const peer = (more: object) => make(admin, '/system/sdwan/peers', { network_id: 'local', ...more });
  await peer({ name: 'hub-1', ipv4: `127.${subnet}.0.1`, publicly_reachable: true, public_ipv4: '127.0.0.1' });
  await peer({ name: 'app-1', ipv4: `127.${subnet}.0.2` });
  const token = async (by: string, name: string, belongs_to?: string) =>
    (await make<CreatedToken>(by, '/tokens', { name, permissions: ALL_PERMISSIONS, ...(belongs_to && { belongs_to }) }))
      .token;
  const inputs = {
    service_hostname: 'metrics.localhost',
    service_protocol: 'http',
    sdwan_network_id: 'local',
    sdwan_hub_peer_id: 'hub-1',
    vip_cidr: `127.${subnet}.0.10/32`,
    backend_port: (backend.address() as { port: number }).port,
    listen_port: Number(new URL(gatehouse.ready.edge_http).port),
    target_peer_id: 'app-1',
  };
  const propose = (by: string) => make<Mission>(by, '/missions', { kind: 'expose_service_publicly', inputs });
  return { token, propose };
}

/** All at once; every answer is a success that says how far it is. Then: it ran once. */
async function pressTogether(
  admin: string,
  id: string,
  presses: readonly { readonly at: RunningGatehouse; readonly token: string }[],
): Promise<void> {
  const answers = await Promise.all(presses.map(({ at, token }) => call(at, token, 'POST', `/missions/${id}/approve`)));
  for (const { status, data, problem } of answers) {
    assert.equal(status, 200, JSON.stringify(problem));
    const mission = data as Mission;
    assert.ok(['approved', 'running', 'succeeded'].includes(mission.status), mission.status);
    assert.equal(mission.approve, null, 'nobody is asked to approve what is approved');
  }
  const { at } = presses[0]!;
  const ended = async (): Promise<Mission> => {
    for (;;) {
      const mission = (await call(at, admin, 'GET', `/missions/${id}`)).data as Mission;
      if (!['approved', 'running'].includes(mission.status)) return mission;
    }
  };
  const mission = await ended();
  assert.equal(mission.status, 'succeeded', JSON.stringify(mission.why));
  assert.equal(mission.approvals.length, 1, 'the others found it approved');
  const events = (await call(at, admin, 'GET', `/missions/${id}/events`)).data as MissionEvent[];
  const told = (step: string, state: string) => events.filter((one) => one.step === step && one.state === state).length;
  assert.equal(told('mission', 'approved'), 1);
  for (const { step } of mission.plan) assert.deepEqual([told(step, 'started'), told(step, 'done')], [1, 1], step);
  for (const kind of ['virtual_ips', 'port_mappings'])
    assert.equal(((await call(at, admin, 'GET', `/system/sdwan/${kind}`)).data as object[]).length, 1, kind);
}

test('at one server: one run, and no token of the asker approves', async (t) => {
  const gatehouse = await startGatehouse(t, { config: STRICT.join('\n') });
  const admin = gatehouse.ready.admin_token!;
  const { token, propose } = await world(t, gatehouse, 21, admin);
  const ann = await token(admin, 'ann laptop', 'ann@example.com');
  const people = await Promise.all(['bob', 'cid', 'dan'].map((name) => token(admin, `${name} laptop`, name)));
  const mission = await propose(ann);
  assert.equal(mission.asked_by_name, 'ann laptop (ann@example.com)');

  const alterEgo = await token(ann, 'alter ego', 'nobody@example.com');
  const late = await token(admin, 'late', 'carol@example.com');
  const approve = (by: string) => call(gatehouse, by, 'POST', `/missions/${mission.id}/approve`);
  for (const [by, words] of [
    [ann, /^you are ann laptop \(ann@example\.com\), who asked for this mission.*somebody else must approve it$/],
    [alterEgo, /^your token and that of ann laptop .* come from one another/],
    [admin, /^your token and that of ann laptop .* come from one another/],
    [late, /^your token was made after this mission was proposed/],
  ] as const) {
    const { status, problem } = await approve(by);
    assert.deepEqual([status, problem.code], [403, 'own_mission']);
    assert.match(problem.detail ?? '', words);
  }
  const pressed = people.flatMap((by) => [by, by, by]);
  await pressTogether(
    admin,
    mission.id,
    pressed.map((by) => ({ at: gatehouse, token: by })),
  );
  const audit = await callerOf(gatehouse)<{ outcome: string }[]>(
    'GET',
    '/audit_events?action=mission.approve&limit=50',
  );
  assert.deepEqual(
    ['refused', 'done'].map((outcome) => audit.filter((one) => one.outcome === outcome).length),
    [4, pressed.length],
    'every press is in the audit log',
  );
});

test('at two replicas on one PostgreSQL: one run', async (t) => {
  const url = await startPostgres(t);
  if (url === undefined) return;
  const env = { GATEHOUSE_MASTER_KEY: randomBytes(32).toString('base64') };
  const config = [...STRICT, `store: { url: "${url}" }`].join('\n');
  const first = await startGatehouse(t, { config, env });
  const second = await startGatehouse(t, { config, env });
  const admin = first.ready.admin_token!;
  assert.equal(second.ready.admin_token, undefined, 'one first administrator for both');
  const { token, propose } = await world(t, first, 22, admin);
  const ann = await token(admin, 'ann laptop', 'ann@example.com');
  const people = await Promise.all(['bob', 'cid'].map((name) => token(admin, `${name} laptop`, name)));
  const presses = people.flatMap((by) => [first, second, first, second].map((at) => ({ at, token: by })));
  await pressTogether(admin, (await propose(ann)).id, presses);
});
