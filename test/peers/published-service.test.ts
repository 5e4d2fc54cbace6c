// A client, a hub and two backends, each in a network namespace of its own: real nftables, real agents, the real edge.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { ROOT } from '../fixtures/gatehouse.ts';
import { createNamespaces, type Namespaces } from '../fixtures/namespaces.ts';
import { temporaryDirectory } from '../fixtures/temporary.ts';

const BIN = join(ROOT, 'bin', 'gatehouse');
const HUB4 = '198.51.100.1';
const HUB6 = '2001:db8:1::1';

/** client -- (public) -- hub -- (overlay) -- one, two */
function wire(ns: Namespaces): void {
  const ip = (...argv: string[]) => execFileSync('ip', argv, { stdio: 'pipe' });
  const address = (short: string, device: string, ...addresses: string[]) => {
    for (const one of addresses)
      ip('-n', ns.name(short), 'addr', 'add', one, 'dev', device, ...(one.includes(':') ? ['nodad'] : []));
    ip('-n', ns.name(short), 'link', 'set', device, 'up');
  };
  ip('link', 'add', 'eth0', 'netns', ns.name('c'), 'type', 'veth', 'peer', 'name', 'public', 'netns', ns.name('h'));
  address('c', 'eth0', '198.51.100.2/24', '2001:db8:1::2/64');
  address('h', 'public', `${HUB4}/24`, `${HUB6}/64`);
  ip('-n', ns.name('h'), 'link', 'add', 'overlay', 'type', 'bridge');
  address('h', 'overlay', '10.42.0.1/24', 'fd42::1/64');
  for (const [short, last] of [
    ['one', 2],
    ['two', 3],
  ] as const) {
    ip(
      'link',
      'add',
      'overlay0',
      'netns',
      ns.name(short),
      'type',
      'veth',
      'peer',
      'name',
      `to-${short}`,
      'netns',
      ns.name('h'),
    );
    address(short, 'overlay0', `10.42.0.${last}/24`, `fd42::${last}/64`);
    ip('-n', ns.name('h'), 'link', 'set', `to-${short}`, 'master', 'overlay', 'up');
  }
  execFileSync('ip', [
    'netns',
    'exec',
    ns.name('h'),
    'sysctl',
    '-qw',
    'net.ipv4.ip_forward=1',
    'net.ipv6.conf.all.forwarding=1',
  ]);
}

async function until(what: string, look: () => boolean | Promise<boolean>, words: () => string): Promise<void> {
  for (let i = 0; i < 400; i++) {
    if (await look()) return;
    // Other programs offer nothing to await but what they leave and print.
    await delay(100);
  }
  assert.fail(`${what} did not come about:\n${words()}`);
}

async function installation(t: TestContext, ns: Namespaces) {
  const scratch = temporaryDirectory(t);
  const data = join(scratch, 'data');
  const ready = join(scratch, 'ready.json');
  writeFileSync(
    join(scratch, 'config.yaml'),
    `edge: { address: "::", https_port: 8443, http_port: 8080, workers: 1 }
agents: { address: "::", port: 8442, names: ["10.42.0.1"] }
`,
  );
  const up = ns.start('h', [
    BIN,
    'up',
    '--config',
    join(scratch, 'config.yaml'),
    '--data-dir',
    data,
    '--ready-file',
    ready,
  ]);
  await until('gatehouse up', () => existsSync(ready), up.output);
  const { ca_root_file: root } = JSON.parse(readFileSync(ready, 'utf8')) as { ca_root_file: string };
  const cli = async (...argv: string[]): Promise<Record<string, never>> => {
    const { code, stdout, stderr } = await ns.run('h', BIN, ...argv, '--data-dir', data, '--json');
    assert.equal(code, 0, `${argv.join(' ')}: ${stderr}${stdout}\n${up.output().slice(-3000)}`);
    return JSON.parse(stdout) as Record<string, never>;
  };
  const agent = async (short: string, peer: string) => {
    const { token } = await cli('networks', 'peers', 'enrol', peer);
    const started = ns.start(
      short,
      [BIN, 'hub-agent', '--control', 'https://10.42.0.1:8442', '--data-dir', join(scratch, `agent-${short}`)],
      { GATEHOUSE_ENROL_TOKEN: String(token) },
    );
    await until(
      `the agent in ${short}`,
      () => started.output().includes('applied'),
      () => `${started.output()}\n${up.output().slice(-3000)}`,
    );
    return started;
  };
  const approve = async (proposed: Record<string, never>) => {
    const mission = await cli('missions', 'approve', String(proposed.id));
    assert.equal(mission.status, 'succeeded', JSON.stringify(mission, null, 2));
    return mission as Record<string, never> & { warnings: string[] };
  };
  return { up, cli, agent, approve, root, scratch };
}

const PAGES = `
import http from 'node:http'; import https from 'node:https'; import fs from 'node:fs';
const [name, port, key, cert] = process.argv.slice(2);
const page = (request, response) => response.end(name + ' answers ' + request.headers.host);
(key ? https.createServer({ key: fs.readFileSync(key), cert: fs.readFileSync(cert) }, page) : http.createServer(page)).listen(Number(port), '::');
`;

test('from proposals to pages over both families, two services behind one hub, and nothing left', async (t) => {
  const ns = createNamespaces(t, ['c', 'h', 'one', 'two']);
  if (ns === undefined) return;
  wire(ns);
  const { up, cli, agent, approve, root, scratch } = await installation(t, ns);
  const network = await cli('networks', 'create', 'name=prod', 'ipv6=fd42::/64', 'ipv4=10.42.0.0/24');
  const peer = (...settings: string[]) => cli('networks', 'peers', 'create', `network_id=${network.id}`, ...settings);
  const hub = await peer(
    'name=hub',
    'ipv6=fd42::1',
    'ipv4=10.42.0.1',
    'publicly_reachable=true',
    `public_ipv4=${HUB4}`,
    `public_ipv6=${HUB6}`,
    'proxy.https_port=8443',
    'proxy.http_port=8080',
  );
  const one = await peer('name=one', 'ipv6=fd42::2', 'ipv4=10.42.0.2');
  const two = await peer('name=two', 'ipv6=fd42::3', 'ipv4=10.42.0.3');
  await agent('h', String(hub.id));
  await agent('one', String(one.id));
  await agent('two', String(two.id));
  execFileSync('ip', ['netns', 'exec', ns.name('h'), 'nft', 'add table inet somebody_else']);

  const script = join(scratch, 'pages.mjs');
  writeFileSync(script, PAGES);
  const [key, cert] = [join(scratch, 'own.key'), join(scratch, 'own.pem')];
  execFileSync(
    'openssl',
    [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-keyout',
      key,
      '-out',
      cert,
      '-days',
      '2',
      '-subj',
      '/CN=own',
      '-addext',
      'subjectAltName=DNS:own.localhost',
    ],
    { stdio: 'pipe' },
  );
  ns.start('one', [process.execPath, script, 'one', '9001']);
  ns.start('two', [process.execPath, script, 'two', '9002']);
  ns.start('two', [process.execPath, script, 'own', '9443', key, cert]);

  const expose = (host: string, ...more: string[]) => cli('expose', host, '--network', 'prod', '--hub', 'hub', ...more);
  const internal = ['--issuer', 'internal-ca'];
  await approve(
    await expose(
      'metrics.localhost',
      '--vip',
      'fd42::10/128',
      '--backend-port',
      '9001',
      '--target-peer',
      'one',
      ...internal,
    ),
  );
  await approve(
    await expose(
      'logs.localhost',
      '--vip',
      '10.42.0.11/32',
      '--backend-port',
      '9002',
      '--target-peer',
      'two',
      ...internal,
    ),
  );
  await approve(
    await expose(
      'plain.localhost',
      '--protocol',
      'http',
      '--vip',
      'fd42::12/128',
      '--backend-port',
      '9001',
      '--target-peer',
      'one',
    ),
  );
  const own = await approve(
    await expose(
      'own.localhost',
      '--termination',
      'backend',
      '--listen-port',
      '9443',
      '--vip',
      'fd42::13/128,10.42.0.13/32',
      '--backend-port',
      '9443',
      '--target-peer',
      'two',
      ...internal,
    ),
  );
  assert.deepEqual(
    own.warnings.filter((warning) => /not for own\.localhost/.test(warning)),
    [],
  );

  const curl = async (address: string, url: string, ...more: string[]) => {
    const { hostname, port, protocol } = new URL(url);
    const listening = port || (protocol === 'https:' ? '443' : '80');
    const at = address.includes(':') ? `[${address}]` : address;
    const { stdout, stderr } = await ns.run(
      'c',
      'curl',
      '-sS',
      '-m',
      '10',
      '--connect-to',
      `${hostname}:${listening}:${at}:${listening}`,
      ...more,
      url,
    );
    return stdout || stderr;
  };
  for (const address of [HUB4, HUB6]) {
    assert.equal(
      await curl(address, 'https://metrics.localhost/', '--cacert', root),
      'one answers metrics.localhost',
      address,
    );
    assert.equal(
      await curl(address, 'https://logs.localhost/', '--cacert', root),
      'two answers logs.localhost',
      address,
    );
    assert.equal(await curl(address, 'http://plain.localhost/'), 'one answers plain.localhost', address);
    assert.equal(
      await curl(address, 'https://own.localhost:9443/', '--cacert', cert),
      'own answers own.localhost:9443',
      address,
    );
  }

  // A second service on the same port as one that ends TLS itself: its TLS goes through the proxy as it is.
  await approve(
    await expose(
      'beside.localhost',
      '--listen-port',
      '9443',
      '--vip',
      'fd42::14/128',
      '--backend-port',
      '9001',
      '--target-peer',
      'one',
      ...internal,
    ),
  );
  const switched = async () =>
    (await ns.run('h', 'nft', 'list', 'table', 'inet', 'gatehouse')).stdout.includes(
      'tcp dport 9443 redirect to :8443',
    );
  await until('the hub to follow', switched, up.output);
  assert.equal(
    await curl(HUB6, 'https://beside.localhost:9443/', '--cacert', root),
    'one answers beside.localhost:9443',
  );
  assert.equal(await curl(HUB4, 'https://own.localhost:9443/', '--cacert', cert), 'own answers own.localhost:9443');

  const looked = (await cli('networks', 'peers', 'show', String(hub.id))) as unknown as {
    agent: { report: { counters: Record<string, { accepted: number }> } };
  };
  assert.ok(Object.keys(looked.agent.report.counters).length >= 3, JSON.stringify(looked.agent));

  for (const host of ['metrics', 'logs', 'plain', 'own', 'beside'])
    await approve(await cli('unexpose', `${host}.localhost`));
  const held = async (short: string) => (await ns.run(short, 'ip', 'addr', 'show', 'dev', 'overlay0')).stdout;
  await until(
    'everything to be gone',
    async () => {
      const { stdout: tables } = await ns.run('h', 'nft', 'list', 'tables');
      const addresses = (await held('one')) + (await held('two'));
      return tables.trim() === 'table inet somebody_else' && !/fd42::1\d|10\.42\.0\.1\d/.test(addresses);
    },
    up.output,
  );
  for (const kind of ['virtual-ips', 'port-mappings']) assert.deepEqual(await cli('networks', kind, 'list'), [], kind);
});
