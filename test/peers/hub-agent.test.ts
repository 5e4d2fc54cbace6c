// The agent with real nftables and WireGuard, each machine a network namespace; the control half is run here.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { faultOf, systemClock } from '../../src/base/index.ts';
import { createControlClient } from '../../src/network/agent/client.ts';
import { renewIdentity } from '../../src/network/agent/identity.ts';
import { desiredStateOf } from '../../src/network/desired-state.ts';
import { enrolAgent, loadIdentity, type Machine } from '../../src/network/index.ts';
import { agentOfPeer } from '../../src/store/peers.ts';
import { type AgentGround, type AgentReport, createAgentGround, machineIn } from '../fixtures/agents.ts';
import { createNamespaces, type Namespaces } from '../fixtures/namespaces.ts';
import { temporaryDirectory } from '../fixtures/temporary.ts';
import { until } from '../fixtures/until.ts';

const PUBLIC4 = '198.51.100.1';
const PUBLIC6 = '2001:db8:1::1';

/** c -- (public) -- h -- (overlay) -- b */
function wire(ns: Namespaces): void {
  // Addresses on probation would answer nobody for a second or two.
  for (const short of ['c', 'h', 'b'])
    for (const which of ['all', 'default'])
      execFileSync('ip', ['netns', 'exec', ns.name(short), 'sysctl', '-qw', `net.ipv6.conf.${which}.accept_dad=0`]);
  const link = (a: string, deviceA: string, b: string, deviceB: string) =>
    execFileSync('ip', [
      'link',
      'add',
      deviceA,
      'netns',
      ns.name(a),
      'type',
      'veth',
      'peer',
      'name',
      deviceB,
      'netns',
      ns.name(b),
    ]);
  const address = (short: string, device: string, ...addresses: string[]) => {
    for (const one of addresses)
      execFileSync('ip', [
        '-n',
        ns.name(short),
        'addr',
        'add',
        one,
        'dev',
        device,
        ...(one.includes(':') ? ['nodad'] : []),
      ]);
    execFileSync('ip', ['-n', ns.name(short), 'link', 'set', device, 'up']);
  };
  link('c', 'eth0', 'h', 'public');
  link('h', 'overlay', 'b', 'overlay');
  address('c', 'eth0', '198.51.100.2/24', '198.51.100.3/24', '2001:db8:1::2/64');
  address('h', 'public', `${PUBLIC4}/24`, `${PUBLIC6}/64`);
  address('h', 'overlay', '10.42.0.1/24', 'fd42::1/64');
  address('b', 'overlay', '10.42.0.2/24', 'fd42::2/64');
  forward(ns, 'h');
}

const forward = (ns: Namespaces, short: string) =>
  execFileSync('ip', [
    'netns',
    'exec',
    ns.name(short),
    'sysctl',
    '-qw',
    'net.ipv4.ip_forward=1',
    'net.ipv6.conf.all.forwarding=1',
  ]);

const SERVER = `
import net from 'node:net'; import dgram from 'node:dgram';
net.createServer((s) => { s.on('error', () => {}); s.write('from ' + s.remoteAddress + '\\n'); }).listen(9000, '::', () => console.log('ready'));
dgram.createSocket('udp6').on('message', function (m, from) { this.send('udp ' + m, from.port, from.address); }).bind(9000, '::');
`;
// How many of \`count\` connections that are opened together and held get an answer while nobody waits longer than a second.
const CLIENT = `
import net from 'node:net';
const [host, port, count, local] = process.argv.slice(1);
const answers = await Promise.all(Array.from({ length: Number(count) }, () => new Promise((resolve) => {
  const s = net.connect({ host, port: Number(port), ...(local && { localAddress: local }) });
  s.once('data', (d) => resolve(String(d).trim())); s.once('error', () => resolve('')); setTimeout(() => resolve(''), 900);
})));
console.log(JSON.stringify(answers.filter((a) => a !== ''))); process.exit(0);
`;
const DATAGRAM = `
import dgram from 'node:dgram';
const [host, port] = process.argv.slice(1);
const s = dgram.createSocket(host.includes(':') ? 'udp6' : 'udp4');
s.on('message', (m) => { console.log(String(m)); process.exit(0); });
s.send('hello', Number(port), host); setTimeout(() => process.exit(1), 2000);
`;

const NODE = [process.execPath, '--input-type=module', '-e'];

async function ground(t: TestContext) {
  const ns = createNamespaces(t, ['c', 'h', 'b']);
  if (ns === undefined) return undefined;
  wire(ns);
  const g = await createAgentGround(t);
  const network = await g.networks.create({ name: 'prod', ipv6: 'fd42::/64', ipv4: '10.42.0.0/24' });
  const hub = await g.peers.create({
    network_id: network.id,
    name: 'hub',
    ipv6: 'fd42::1',
    ipv4: '10.42.0.1',
    publicly_reachable: true,
    public_ipv4: PUBLIC4,
    public_ipv6: PUBLIC6,
  });
  const back = await g.peers.create({ network_id: network.id, name: 'back', ipv6: 'fd42::2', ipv4: '10.42.0.2' });
  const map = (listen_port: number, more: object = {}) =>
    g.map({ network_id: 'prod', hub_peer_id: 'hub', listen_port, target_peer_id: 'back', target_port: 9000, ...more });
  const opened = async (host: string, port: number, count: number, local = ''): Promise<string[]> =>
    JSON.parse((await ns.run('c', ...NODE, CLIENT, host, String(port), String(count), local)).stdout) as string[];
  const served = ns.start('b', [...NODE, SERVER]);
  await until('the service', async () => served.output().includes('ready'));
  // A cable that was only just plugged in loses the first questions for neighbours, which are asked again a second later.
  const refused = 7;
  const reach = async (short: string, host: string, port: number) =>
    (
      await ns.run(
        short,
        'curl',
        '-s',
        '-m',
        '1',
        '--http0.9',
        `http://${host.includes(':') ? `[${host}]` : host}:${port}/`,
      )
    ).code;
  for (const host of [PUBLIC4, PUBLIC6]) await until('the hub', async () => (await reach('c', host, 1)) === refused);
  for (const host of ['10.42.0.2', 'fd42::2']) await until('back', async () => (await reach('h', host, 1)) === refused);
  const tables = async () => (await ns.run('h', 'nft', 'list', 'tables')).stdout.trim();
  const ruleset = async () => (await ns.run('h', 'nft', 'list', 'table', 'inet', 'gatehouse')).stdout;
  return { ...g, ns, network, hub: String(hub.id), back: String(back.id), map, opened, tables, ruleset };
}

/** Until the agent's report says what is wanted now. */
async function applied(g: Pick<AgentGround, 'report' | 'store'>, peerId: string): Promise<AgentReport> {
  let said: AgentReport | undefined;
  await until('the agent', async () => {
    said = await g.report(peerId);
    return said?.applied === (await desiredStateOf(g.store.db, peerId))?.version;
  });
  return said!;
}

test('each guard holds back real connections, in both families, and counts them', async (t) => {
  const g = await ground(t);
  if (g === undefined) return;
  const rate = await g.map(1001, { new_per_second: 4 });
  const most = await g.map(1002, { most_connections: 3 });
  const sources = await g.map(1003, { sources_ipv4: ['198.51.100.3/32'] });
  const open = await g.map(1004);
  const datagrams = await g.map(1004, { protocol: 'udp' });
  const preserved = await g.map(1005, { preserve_source: true });
  const agent = await g.start(machineIn(g.ns.name('h')), g.hub);
  await applied(g, g.hub);
  // The way back of a preserved source leads through the hub, as its operator vouches.
  for (const argv of [
    ['route', 'add', 'default', 'via', '10.42.0.1'],
    ['-6', 'route', 'add', 'default', 'via', 'fd42::1'],
  ])
    await g.ns.run('b', 'ip', ...argv);

  assert.deepEqual(await g.opened(PUBLIC4, 1004, 2), ['from ::ffff:10.42.0.1', 'from ::ffff:10.42.0.1']);
  assert.deepEqual(await g.opened(PUBLIC6, 1004, 1), ['from fd42::1']);
  assert.deepEqual(await g.opened(PUBLIC4, 1005, 1), ['from ::ffff:198.51.100.2'], 'the source is preserved');
  for (const host of [PUBLIC4, PUBLIC6])
    assert.equal((await g.ns.run('c', ...NODE, DATAGRAM, host, '1004')).stdout.trim(), 'udp hello', host);

  // A burst of two seconds' worth is let through, and what one second brings back.
  const let4 = (await g.opened(PUBLIC4, 1001, 40)).length;
  assert.ok(let4 >= 8 && let4 < 30, `${let4} of 40 were let through at four a second`);
  assert.equal((await g.opened(PUBLIC4, 1002, 9)).length, 3, 'three connections at once, and no more');
  await until('connections to be forgotten', async () => (await g.opened(PUBLIC6, 1002, 1)).length === 1);
  assert.equal((await g.opened(PUBLIC4, 1003, 1)).length, 0, 'a source that is not listed');
  assert.equal((await g.opened(PUBLIC4, 1003, 1, '198.51.100.3')).length, 1, 'one that is');
  assert.equal((await g.opened(PUBLIC6, 1003, 1)).length, 0, 'a list in one family closes the other');

  await g.map(1006);
  const before = (await applied(g, g.hub)).counters;
  assert.deepEqual(
    [rate, most, sources, open, datagrams, preserved].map((id) => before[id]),
    [
      { accepted: let4, refused: before[rate]!.refused },
      { accepted: before[most]!.accepted, refused: before[most]!.refused },
      { accepted: 1, refused: before[sources]!.refused },
      { accepted: 3, refused: 0 },
      { accepted: 2, refused: 0 },
      { accepted: 1, refused: 0 },
    ],
  );
  for (const id of [rate, most, sources]) assert.ok(before[id]!.refused > 0, JSON.stringify(before));

  // A new table counts from nothing, and so does the same table after a restart: neither may be seen from outside.
  await agent.stop();
  await g.start(machineIn(g.ns.name('h')), g.hub, { directory: agent.directory, identity: agent.identity });
  await g.map(1007);
  await applied(g, g.hub);
  await g.opened(PUBLIC4, 1004, 2);
  await g.map(1008);
  assert.deepEqual((await applied(g, g.hub)).counters[open], { accepted: 5, refused: 0 });
});

test('what cannot be applied is put back and told; other tables are not touched; unresolved mappings are listed', async (t) => {
  const g = await ground(t);
  if (g === undefined) return;
  await g.ns.run('h', 'nft', 'add table inet somebody_else; add chain inet somebody_else x { comment "mine"; }');
  const kept = (await g.ns.run('h', 'nft', 'list', 'table', 'inet', 'somebody_else')).stdout;
  await g.map(1001);
  const waiting = await createClosed(g);
  const real = machineIn(g.ns.name('h'));
  const failing = new Set<string>();
  const machine: Machine = {
    ...real,
    run: (program, argv, input) => real.run(program, failing.has(`${program} ${argv[0]}`) ? ['nonsense'] : argv, input),
  };
  await g.start(machine, g.hub);
  const first = await applied(g, g.hub);
  assert.deepEqual(first.unresolved, [
    { id: waiting, listenPort: 1999, protocol: 'tcp', reason: 'it waits for approval' },
  ]);
  const before = await g.ruleset();
  assert.match(before, /tcp dport 1001/);

  for (const broken of ['nft -c', 'nft -f']) {
    failing.add(broken);
    await g.virtualIps.create({ network_id: 'prod', name: 'held', vip_cidr: 'fd42::99/128', holder_peer_id: 'hub' });
    const second = await g.map(1002);
    await until('the failure to be told', async () => ((await g.report(g.hub))?.problem ?? '').includes('nonsense'));
    const said: AgentReport = (await g.report(g.hub))!;
    assert.match(said.problem!, /^nft nonsense: /);
    assert.equal(said.applied, first.applied, 'it says that the state before is what is there');
    assert.equal(await g.ruleset(), before);
    assert.doesNotMatch((await g.ns.run('h', 'ip', 'addr')).stdout, /fd42::99/, 'the address was taken away again');
    failing.clear();
    await applied(g, g.hub);
    assert.match(await g.ruleset(), /tcp dport 1002/);
    assert.match((await g.ns.run('h', 'ip', 'addr')).stdout, /fd42::99/);
    await g.close(second);
    const held = (await g.virtualIps.list({ limit: 9 })).find(({ name }) => name === 'held');
    await g.virtualIps.remove(String(held?.id));
    await applied(g, g.hub);
    assert.equal(await g.ruleset(), before);
  }
  assert.equal((await g.ns.run('h', 'nft', 'list', 'table', 'inet', 'somebody_else')).stdout, kept);
});

async function createClosed(g: { store: AgentGround['store'] }): Promise<string> {
  const { createPortMappings } = await import('../../src/network/index.ts');
  const { systemClock } = await import('../../src/base/index.ts');
  const made = await createPortMappings({ store: g.store, clock: systemClock }).create({
    network_id: 'prod',
    hub_peer_id: 'hub',
    listen_port: 1999,
    target_peer_id: 'back',
    target_port: 1,
  });
  return String(made.id);
}

test('while the control half is away everything goes on, and a restarted machine gets its last state back', async (t) => {
  const g = await ground(t);
  if (g === undefined) return;
  await g.map(1001);
  await g.virtualIps.create({ network_id: 'prod', name: 'held', vip_cidr: 'fd42::99/128', holder_peer_id: 'hub' });
  const agent = await g.start(machineIn(g.ns.name('h')), g.hub);
  await applied(g, g.hub);
  await g.agents.close();
  assert.equal((await g.opened(PUBLIC6, 1001, 1)).length, 1);
  await agent.stop();
  assert.equal((await g.opened(PUBLIC6, 1001, 1)).length, 1, 'without the agent too');
  await g.ns.run('h', 'nft', 'delete', 'table', 'inet', 'gatehouse');
  await g.ns.run('h', 'ip', 'addr', 'del', 'fd42::99/128', 'dev', 'overlay');
  assert.equal((await g.opened(PUBLIC6, 1001, 1)).length, 0);
  await g.start(machineIn(g.ns.name('h')), g.hub, { directory: agent.directory, identity: agent.identity });
  await until('the last state', async () => (await g.opened(PUBLIC6, 1001, 1)).length === 1);
  assert.match((await g.ns.run('h', 'ip', 'addr')).stdout, /fd42::99/);
});

test('the agent of a peer that was removed takes down what it put up, tells nobody else, and ends', async (t) => {
  const g = await ground(t);
  if (g === undefined) return;
  const mapping = await g.map(1001);
  await g.ns.run('h', 'nft', 'add', 'table', 'inet', 'somebody_else');
  const vip = await g.virtualIps.create({
    network_id: 'prod',
    name: 'held',
    vip_cidr: 'fd42::99/128',
    holder_peer_id: 'hub',
  });
  const agent = await g.start(machineIn(g.ns.name('h')), g.hub);
  await applied(g, g.hub);
  assert.match((await g.ns.run('h', 'ip', 'addr')).stdout, /fd42::99/);
  // While it is not heard of, the hub loses all that it had, and is removed.
  await agent.stop();
  await g.close(mapping);
  await g.virtualIps.remove(String(vip.id));
  await g.peers.remove(g.hub);
  assert.match(await g.tables(), /gatehouse/, 'what was applied stays until somebody is told');
  const again = await g.start(machineIn(g.ns.name('h')), g.hub, agent);
  await again.ended;
  assert.equal(await g.tables(), 'table inet somebody_else');
  assert.doesNotMatch((await g.ns.run('h', 'ip', 'addr')).stdout, /fd42::99/);
  assert.equal(loadIdentity(agent.directory), undefined, 'the next start needs a new token');
  const code = faultOf(
    await createControlClient(g.control, { ca: agent.identity.ca })
      .state(undefined, new AbortController().signal)
      .catch((error: unknown) => error),
  ).code;
  assert.equal(code, 'agent_unknown', 'without the certificate nobody learns that the peer is gone');
});

test('enrolment: a token is good once and soon, names its CA, and an older certificate is shut out by a newer', async (t) => {
  const clock = { now: () => Date.now() + ahead, sleep: systemClock.sleep };
  let ahead = 0;
  const g = await createAgentGround(t, clock);
  await g.networks.create({ name: 'prod', ipv4: '10.42.0.0/24' });
  const { id } = await g.peers.create({ network_id: 'prod', name: 'one', ipv4: '10.42.0.2' });
  const peer = String(id);
  const directory = () => temporaryDirectory(t);
  const code = async (work: Promise<unknown>) => faultOf(await work.catch((error: unknown) => error)).code;

  const token = await g.token(peer);
  const [secret, fingerprint] = token.split('.');
  assert.equal(await code(enrolAgent(g.control, `${secret}.${'0'.repeat(64)}`, directory())), 'wrong_ca');
  const first = await enrolAgent(g.control, token, directory());
  assert.equal(await code(enrolAgent(g.control, token, directory())), 'enrolment_refused', 'a token is good once');
  assert.equal(await code(enrolAgent(g.control, `nonsense.${fingerprint}`, directory())), 'enrolment_refused');
  const late = await g.token(peer);
  ahead = 31 * 60_000;
  assert.equal(await code(enrolAgent(g.control, late, directory())), 'enrolment_refused', 'and for half an hour');
  ahead = 0;

  const client = createControlClient(g.control, first);
  const never = new AbortController().signal;
  assert.equal((await client.state(undefined, never))?.peer.name, 'one');
  assert.equal(await code(createControlClient(g.control, { ca: first.ca }).state(undefined, never)), 'agent_unknown');
  const where = directory();
  const renewed = await renewIdentity(g.control, where, first);
  assert.notEqual(renewed.certificate, first.certificate);
  assert.equal(loadIdentity(where)?.certificate, renewed.certificate);
  assert.equal((await createControlClient(g.control, renewed).state(undefined, never))?.peer.name, 'one');

  // To the second, as certificates count.
  const before = Math.floor(Date.now() / 1000);
  await until('the next second', async () => Math.floor(Date.now() / 1000) > before);
  const second = await enrolAgent(g.control, await g.token(peer), directory());
  assert.equal((await createControlClient(g.control, second).state(undefined, never))?.peer.name, 'one');
  const row = await agentOfPeer(g.store.db, peer);
  assert.ok(Date.parse(new X509Certificate(first.certificate).validFrom) < row!.enrolled_at);
  for (const older of [first, renewed])
    assert.equal(await code(createControlClient(g.control, older).state(undefined, never)), 'agent_unknown');

  // One whose two thirds are over is renewed by the agent itself.
  const running = await g.start(noMachine, peer, { directory: where, identity: { ...second, renewAt: 0 } });
  await until('the renewal', async () => loadIdentity(running.directory)?.certificate !== second.certificate);
});

const noMachine: Machine = { run: async () => '[]', forwarding: () => ({ ipv4: true, ipv6: true }) };
