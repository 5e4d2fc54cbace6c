// Overlays that agents make with real WireGuard (in user space where the kernel has none), each machine a namespace.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { type TestContext, test } from 'node:test';
import { createAgentGround, machineIn } from '../fixtures/agents.ts';
import { createNamespaces, type Namespaces } from '../fixtures/namespaces.ts';
import { needProgram } from '../fixtures/peer.ts';
import { until } from '../fixtures/until.ts';

const PUBLIC4 = '198.51.100.1';
const PUBLIC6 = '2001:db8:1::1';

/** c -- (public) -- h; h -- (192.0.2.0/28) -- one; h -- (192.0.2.16/28) -- two: only the hub is reached by all. */
function wire(ns: Namespaces): void {
  const inside = (short: string, ...argv: string[]) => execFileSync('ip', ['netns', 'exec', ns.name(short), ...argv]);
  for (const short of ['c', 'h', 'one', 'two'])
    for (const which of ['all', 'default']) inside(short, 'sysctl', '-qw', `net.ipv6.conf.${which}.accept_dad=0`);
  const link = (a: string, deviceA: string, addressesA: string[], b: string, deviceB: string, addressesB: string[]) => {
    const [nameA, nameB] = [ns.name(a), ns.name(b)];
    execFileSync('ip', [
      'link',
      'add',
      deviceA,
      'netns',
      nameA,
      'type',
      'veth',
      'peer',
      'name',
      deviceB,
      'netns',
      nameB,
    ]);
    for (const [name, device, addresses] of [
      [nameA, deviceA, addressesA],
      [nameB, deviceB, addressesB],
    ] as const) {
      for (const address of addresses) execFileSync('ip', ['-n', name, 'addr', 'add', address, 'dev', device]);
      execFileSync('ip', ['-n', name, 'link', 'set', device, 'up']);
    }
  };
  link('c', 'eth0', ['198.51.100.2/24', '2001:db8:1::2/64'], 'h', 'public', [`${PUBLIC4}/24`, `${PUBLIC6}/64`]);
  link('h', 'to-one', ['192.0.2.1/28'], 'one', 'eth0', ['192.0.2.2/28']);
  link('h', 'to-two', ['192.0.2.17/28'], 'two', 'eth0', ['192.0.2.18/28']);
  inside('one', 'ip', 'route', 'add', 'default', 'via', '192.0.2.1');
  inside('two', 'ip', 'route', 'add', 'default', 'via', '192.0.2.17');
  inside('h', 'sysctl', '-qw', 'net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1');
}

const PAGE = `
import http from 'node:http';
http.createServer((q, r) => r.end('from ' + q.socket.remoteAddress)).listen(9000, '::', () => console.log('ready'));
`;

let made = 0;

async function ground(t: TestContext, topology: string) {
  if (needProgram(t, 'wg') === undefined || needProgram(t, 'wireguard-go') === undefined) return undefined;
  const ns = createNamespaces(t, ['c', 'h', 'one', 'two']);
  if (ns === undefined) return undefined;
  wire(ns);
  const g = await createAgentGround(t);
  await g.networks.create({ name: 'wg', ipv6: 'fd42::/64', ipv4: '10.42.0.0/24', topology });
  // A program in user space is known by its interface's name to all namespaces of a machine.
  const run = `${process.pid % 100_000}x${made++}`;
  const peer = async (short: string, last: number, more: object = {}) => {
    const { id } = await g.peers.create({
      network_id: 'wg',
      name: short,
      ipv6: `fd42::${last}`,
      ipv4: `10.42.0.${last}`,
      ...more,
    });
    return String(id);
  };
  const start = async (short: string, id: string) => {
    const name = `gh${run}${short}`;
    // The program in user space ends with its interface, and would keep the namespace.
    t.after(() => ns.run(short, 'ip', 'link', 'del', 'dev', name).then(() => {}));
    await g.start(machineIn(ns.name(short)), id, { interface: name, wireguard: true });
    return name;
  };
  const get = async (short: string, host: string, port = 9000) => {
    const at = host.includes(':') ? `[${host}]` : host;
    return (await ns.run(short, 'curl', '-sS', '-m', '3', `http://${at}:${port}/`)).stdout;
  };
  const page = ns.start('one', [process.execPath, '--input-type=module', '-e', PAGE]);
  await until('the page', async () => page.output().includes('ready'));
  return { ...g, ns, peer, start, get };
}

test('hub and spoke: spokes reach each other and virtual IPs through the hub, and clients from outside too', async (t) => {
  const g = await ground(t, 'hub-and-spoke');
  if (g === undefined) return;
  const hub = await g.peer('h', 1, {
    publicly_reachable: true,
    public_ipv4: PUBLIC4,
    public_ipv6: PUBLIC6,
    endpoint: '192.0.2.1:51820',
  });
  const one = await g.peer('one', 2);
  const two = await g.peer('two', 3);
  // One in the network's ranges, and one beyond them, which a route has to lead to.
  const vip = { network_id: 'wg', holder_peer_id: one };
  const { id: held } = await g.virtualIps.create({ ...vip, name: 'page', vip_cidr: 'fd42::10/128, 10.42.0.10/32' });
  await g.map({ network_id: 'wg', hub_peer_id: hub, listen_port: 80, target_virtual_ip_id: held, target_port: 9000 });
  const names = [await g.start('h', hub), await g.start('one', one), await g.start('two', two)];

  await until('spoke to spoke', async () => (await g.get('two', 'fd42::2')) === 'from fd42::3');
  for (const [host, from] of [
    ['10.42.0.2', '::ffff:10.42.0.3'],
    ['fd42::10', 'fd42::3'],
    ['10.42.0.10', '::ffff:10.42.0.3'],
  ] as const)
    assert.equal(await g.get('two', host), `from ${from}`, host);
  assert.equal(await g.get('c', PUBLIC6, 80), 'from fd42::1', 'a client from outside, through the hub');
  assert.equal(await g.get('c', PUBLIC4, 80), 'from ::ffff:10.42.0.1');

  // Everything went through WireGuard: the spokes know the hub alone, and have shaken hands with it.
  await g.virtualIps.create({ ...vip, name: 'second', vip_cidr: 'fd42::11/128' });
  await until('the second virtual IP', async () => (await g.get('two', 'fd42::11')) === 'from fd42::3');
  await until('the reports', async () => (await g.report(two))?.wireguard !== undefined);
  const { wireguard } = (await g.report(two))!;
  const hubKey = String((await g.peers.get(hub))?.public_key);
  assert.equal(wireguard?.interface, names[2]);
  assert.deepEqual(Object.keys(wireguard?.peers ?? {}), [hubKey]);
  const dump = (await g.ns.run('two', 'wg', 'show', names[2]!, 'dump')).stdout;
  assert.match(
    dump.split('\n')[1] ?? '',
    /^\S+\t\S+\t192\.0\.2\.1:51820\t(10\.42\.0\.0\/24,fd42::\/64|fd42::\/64,10\.42\.0\.0\/24)\t[1-9]/,
  );
  assert.ok(!JSON.stringify(await g.report(two)).includes(dump.split('\t')[0]!), 'the private key stays where it is');

  // A peer that is removed: its agent takes the interface down, and the hub knows it no more.
  const twosKey = String((await g.peers.get(two))?.public_key);
  await g.peers.remove(two);
  await until('the interface to go', async () => !(await g.ns.run('two', 'ip', 'link')).stdout.includes(names[2]!));
  await until('the hub to forget it', async () => {
    const { stdout } = await g.ns.run('h', 'wg', 'show', names[0]!, 'peers');
    return stdout !== '' && !stdout.includes(twosKey);
  });
});

test('mesh: peers reach each other without the hub; an overlay that is there already is left alone', async (t) => {
  const g = await ground(t, 'mesh');
  if (g === undefined) return;
  const one = await g.peer('one', 2, { endpoint: '192.0.2.2:51820' });
  const two = await g.peer('two', 3, { endpoint: '192.0.2.18:51820' });
  const other = await g.peer('h', 4, { endpoint: '192.0.2.1:51820' });
  const [nameOne, nameTwo] = [await g.start('one', one), await g.start('two', two)];
  await until('peer to peer', async () => (await g.get('two', 'fd42::2')) === 'from fd42::3');
  const endpoints = (await g.ns.run('two', 'wg', 'show', nameTwo, 'endpoints')).stdout;
  assert.match(endpoints, /192\.0\.2\.2:51820/);
  assert.doesNotMatch(endpoints, /192\.0\.2\.1:/, 'nobody else is enrolled yet');

  await g.ns.run('h', 'ip', 'addr', 'add', '10.42.0.4/24', 'dev', 'to-one');
  const alien = await g.start('h', other);
  await until('the third peer', async () => (await g.report(other))?.applied !== undefined);
  assert.doesNotMatch(
    (await g.ns.run('h', 'ip', 'link')).stdout,
    new RegExp(alien),
    'the address is on another interface',
  );
  await until('the others', async () =>
    (await g.ns.run('one', 'wg', 'show', nameOne, 'endpoints')).stdout.includes('192.0.2.1:51820'),
  );
});
