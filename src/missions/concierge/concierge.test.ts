import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { type TestContext, test } from 'node:test';
import { by, createIngressWorld, createWorldMissions } from '../../../test/fixtures/ingress.ts';
import { silentLogger } from '../../base/index.ts';
import { createConcierge } from './concierge.ts';
import { gatherKnown } from './gather-known.ts';
import { type BriefModel, createBriefModel } from './model.ts';

async function talk(t: TestContext, options: { model?: BriefModel } = {}) {
  const world = await createIngressWorld(t, { proxy: true });
  const { missions } = createWorldMissions(world);
  const concierge = createConcierge({
    ...world.deps,
    known: () =>
      gatherKnown(world.store, {
        freeAddresses: async () => ['fd42::4', '10.42.0.4'],
        issuers: world.deps.issuers.ids,
        credentials: async () => world.credentials,
      }),
    ...(options.model && { model: options.model }),
  });
  const { id } = await concierge.start('token:ann');
  const say = (text: string) =>
    concierge.say(id, text, 'token:ann', (kind, inputs) => missions.propose(kind, inputs, by('ann')));
  return { world, concierge, missions, id, say };
}

test("seed b's sentence becomes a mission, one question at a time", async (t) => {
  const { say, missions, concierge, id, world } = await talk(t);
  const first = await say('make metrics.example.com reachable from the internet at port 8080');
  assert.equal(first.asks, 'service_protocol');
  assert.deepEqual(
    first.choices.map(({ value }) => value),
    ['https', 'http'],
  );
  const where = await say('https');
  assert.match(where.text, /Taken, since there is only one: network: prod; hub: edge-1\./);
  assert.equal(where.asks, 'target_peer_id');
  assert.deepEqual(
    where.choices.map(({ label }) => label),
    ['metrics', 'proxy-1', 'instance metrics-1'],
  );
  const address = await say('metrics');
  assert.equal(address.asks, 'vip_cidr');
  assert.deepEqual(
    address.choices.map(({ value }) => value),
    ['fd42::4/128', '10.42.0.4/32'],
  );
  const issuer = await say('the first one');
  assert.equal(issuer.asks, 'tls_issuer');
  assert.equal(issuer.choices[0]?.value, 'letsencrypt-staging');
  const done = await say('1');
  assert.match(done.text, /DNS credential: example zone \(cloudflare\)\. This is the plan \(msn_/);
  const mission = (await missions.get(done.missionId!))!;
  assert.equal(mission.status, 'proposed');
  assert.deepEqual(mission.inputs, {
    service_hostname: 'metrics.example.com',
    service_protocol: 'https',
    sdwan_network_id: world.ids.network,
    sdwan_hub_peer_id: world.ids.hub,
    vip_cidr: 'fd42::4/128',
    backend_port: 8080,
    target_peer_id: world.ids.backend,
    tls_issuer: 'letsencrypt-staging',
    challenge_type: 'dns-01',
    dns_credential_id: 'dnc_1',
    termination: 'proxy',
    listen_port: 443,
  });
  assert.equal((await concierge.get(id))?.missionId, mission.id);
  assert.equal((await concierge.messages(id, 0, 100)).length, 10);
});

test('words never approve', async (t) => {
  const { say, missions } = await talk(t);
  await say('expose metrics.example.com over http at fd42::9/128, port 8080, it runs on metrics');
  const [mission] = await missions.list({}, { limit: 5 });
  assert.equal(mission?.status, 'proposed');
  for (const text of ['approve', 'yes, go ahead', 'run it', `approve ${mission?.id}`]) {
    assert.match((await say(text)).text, /I cannot approve anything/);
    assert.equal((await missions.get(mission!.id))?.status, 'proposed');
  }
  assert.match((await say("don't expose metrics.example.com")).text, /nothing is done/);
});

test('what is wrong is said, and asked for again', async (t) => {
  const { say } = await talk(t);
  const wrong = await say('expose metrics.example.com over http at fd42::2/128, port 8080, it runs on metrics');
  assert.match(wrong.text, /fd42::2 belongs to metrics \(fd42::4 is free\)/);
  assert.equal(wrong.asks, 'vip_cidr');
  const nonsense = await say('what?');
  assert.match(nonsense.text, /I could not read that as host CIDR that you choose/);
  assert.ok((await say('fd42::4')).missionId);
});

test('taking down, by words', async (t) => {
  const { say } = await talk(t);
  assert.equal((await say('unexpose something')).text, 'Nothing is exposed.');
  assert.match((await say('unexpose metrics.example.com')).text, /is not exposed/);
  assert.match((await say('hello')).text, /Tell me what to make public/);
});

test('a model may help to read, and may do nothing else', async (t) => {
  let answer: unknown = {};
  const asked: string[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (part) => {
      body += part;
    });
    request.on('end', () => {
      asked.push(body);
      response.end(JSON.stringify({ choices: [{ message: { content: JSON.stringify(answer) } }] }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const { port } = server.address() as { port: number };
  const model = createBriefModel({ url: `http://127.0.0.1:${port}/v1`, model: 'small' }, silentLogger);
  const { say, concierge, id, missions } = await talk(t, { model });
  answer = {
    backend_port: '9090',
    service_hostname: 'evil.example.com',
    sdwan_network_id: 'prod',
    vip_cidr: 'rm -rf /',
    approve: true,
    status: 'approved',
    target_peer_id: { $ne: null },
  };
  const reply = await say('expose metrics.example.com; ninety-ninety is where it is');
  assert.equal(asked.length, 1);
  assert.equal(reply.asks, 'service_protocol');
  const { understood } = (await concierge.get(id))!;
  assert.equal(understood.service_hostname, 'metrics.example.com', 'what a person said wins');
  assert.equal(understood.backend_port, 9090);
  assert.equal(understood.vip_cidr, undefined);
  assert.deepEqual(await missions.list({}, { limit: 5 }), []);
});

test('a model that fails is done without', async (t) => {
  const model = createBriefModel({ url: 'http://127.0.0.1:9/v1', model: 'none' }, silentLogger);
  const { say } = await talk(t, { model });
  assert.equal((await say('expose metrics.example.com')).asks, 'service_protocol');
});
