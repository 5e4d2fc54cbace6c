// Every failure of the troubleshooting table in docs/ingress.md, provoked with real programs: the product's own words
// lead to the fix, the fix is done, and the same proposal succeeds with what is there already.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer, request } from 'node:https';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import { type RunningGatehouse, startGatehouse } from '../fixtures/gatehouse.ts';
import { loopbackZone, startPowerDns } from '../fixtures/name-servers.ts';
import { selfSigned, startPebble } from '../fixtures/pebble.ts';
import { startSmallNameServer } from '../fixtures/small-name-server.ts';
import { temporaryDirectory } from '../fixtures/temporary.ts';
import { until } from '../fixtures/until.ts';

const BACKEND = '127.7.0.10';

interface Mission {
  readonly id: string;
  readonly status: string;
  readonly why: { readonly summary: string; readonly problem: { type: string } | null; readonly advice: string | null };
  readonly plan: readonly { step: string; action: string }[];
  readonly warnings: readonly string[];
}

/** Stands before an ACME server and, when told, refuses orders as a rate limit does. */
async function startGate(t: TestContext, directory: string, caPem: string) {
  const { chain, key } = selfSigned();
  const { host: behind } = new URL(directory);
  const server = createServer({ key, cert: chain }, (incoming, outgoing) => {
    if (/order/.test(incoming.url ?? '') && incoming.method === 'POST') {
      const detail = 'too many certificates (50) already issued for "shop.example" in the last 168h0m0s';
      const problem = { type: 'urn:ietf:params:acme:error:rateLimited', detail, status: 429 };
      const head = { 'content-type': 'application/problem+json', 'retry-after': '3600', 'replay-nonce': 'bm9uY2U' };
      return void outgoing.writeHead(429, head).end(JSON.stringify(problem));
    }
    // Its URLs follow from the host that it was asked at, so every one of them leads here again.
    const { method, headers, url = '/' } = incoming;
    const passed = request(`https://${behind}${url}`, { method, headers, ca: caPem }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    incoming.pipe(passed);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const caFile = join(temporaryDirectory(t), 'gate.pem');
  writeFileSync(caFile, chain);
  const { port } = server.address() as { port: number };
  return { directory: `https://127.0.0.1:${port}/dir`, caFile };
}

/** A DNS provider behind a webhook whose token loses its scope when told. */
async function startHook(t: TestContext) {
  let allowed = true;
  const server = createHttpServer((incoming, outgoing) => {
    incoming.resume();
    outgoing.writeHead(allowed ? 200 : 403).end(allowed ? '' : 'the token may not write into this zone');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const { port } = server.address() as { port: number };
  return {
    url: `http://127.0.0.1:${port}/`,
    narrow() {
      allowed = false;
    },
  };
}

function person(gatehouse: RunningGatehouse) {
  const run = async (...argv: string[]) => gatehouse.cli(...argv);
  const json = async (...argv: string[]) => {
    const { code, stdout, stderr } = await run(...argv, '--json');
    assert.equal(code, 0, `${argv.join(' ')}: ${stderr}${stdout}`);
    return JSON.parse(stdout) as Record<string, unknown> & Mission;
  };
  const refused = async (...argv: string[]): Promise<string> => {
    const { code, stdout, stderr } = await run(...argv);
    assert.notEqual(code, 0, `${argv.join(' ')}: ${stdout}`);
    return stderr;
  };
  const port = new URL(gatehouse.ready.edge_https).port;
  const places = ['--network', 'local', '--hub', 'hub-1', '--listen-port', port, '--target-peer', 'app-1'];
  const service = (host: string, last: number) => [
    'expose',
    host,
    ...places,
    '--vip',
    `127.7.0.${last}/32`,
    '--backend-port',
    '9001',
  ];
  const events = async (id: string): Promise<string> => {
    const headers = { authorization: `Bearer ${gatehouse.ready.admin_token ?? ''}` };
    return (await fetch(`${gatehouse.ready.api}/api/v1/missions/${id}/events`, { headers })).text();
  };
  /** Until the mission's own events say it. */
  const told = (id: string, words: RegExp) =>
    until(String(words), async () => words.test(await events(id)), 60_000).catch(async (error) => {
      throw new Error(`${error}\n${await events(id)}\n${gatehouse.output().slice(-3000)}`);
    });
  return { json, refused, service, events, told };
}

async function prepare(gatehouse: RunningGatehouse) {
  const { json } = person(gatehouse);
  const peer = (...settings: string[]) => json('networks', 'peers', 'create', 'network_id=local', ...settings);
  await json('networks', 'create', 'name=local', 'ipv4=127.7.0.0/24');
  await peer('name=hub-1', 'ipv4=127.7.0.1', 'publicly_reachable=true', 'public_ipv4=127.0.0.1');
  await peer('name=app-1', 'ipv4=127.7.0.2');
}

/** All of 127.0.0.0/8 answers here, so a virtual IP in it needs no agent. */
async function startBackend(t: TestContext) {
  const backend = createHttpServer((_request, response) => response.end('the page'));
  await new Promise<void>((resolve) => backend.listen(9001, BACKEND, resolve));
  t.after(() => backend.close());
}

test('wrong inputs are told in the same words by the API, the command line and MCP, before anything is made', async (t) => {
  const gatehouse = await startGatehouse(t);
  const { json, refused } = person(gatehouse);
  await prepare(gatehouse);
  await json('networks', 'instances', 'create', 'name=stray');
  const base = {
    service_hostname: 'metrics.shop.example',
    service_protocol: 'https',
    sdwan_network_id: 'local',
    sdwan_hub_peer_id: 'hub-1',
    vip_cidr: '127.7.0.10/32',
    backend_port: 9001,
  };
  const flags = [
    'expose',
    'metrics.shop.example',
    '--network',
    'local',
    '--hub',
    'hub-1',
    '--vip',
    '127.7.0.10/32',
    '--backend-port',
    '9001',
  ];
  const client = new Client({ name: 'test', version: '1' });
  const requestInit = { headers: { authorization: `Bearer ${gatehouse.ready.admin_token}` } };
  await client.connect(new StreamableHTTPClientTransport(new URL(gatehouse.ready.mcp), { requestInit }) as Transport);
  t.after(() => client.close());

  const cases: [more: Record<string, string>, flags: string[], words: RegExp[]][] = [
    [
      {},
      [],
      [
        /exactly one of target_peer_id and target_instance_id is required; neither was given/,
        /dns_credential_id is required for https with dns-01/,
      ],
    ],
    [
      { target_peer_id: 'app-1', target_instance_id: 'stray', tls_issuer: 'internal-ca' },
      ['--target-peer', 'app-1', '--target-instance', 'stray', '--issuer', 'internal-ca'],
      [/exactly one of target_peer_id and target_instance_id is required; both were given/],
    ],
    [
      { target_instance_id: 'stray', tls_issuer: 'internal-ca' },
      ['--target-instance', 'stray', '--issuer', 'internal-ca'],
      [
        /the instance stray has no peer in the network local/,
        /attach the instance to the network first or pass target_peer_id/,
      ],
    ],
    [
      { target_peer_id: 'app-1' },
      ['--target-peer', 'app-1'],
      [/dns_credential_id is required for https with dns-01/, /gatehouse dns-credentials create/],
    ],
  ];
  for (const [more, options, words] of cases) {
    const response = await fetch(`${gatehouse.ready.api}/api/v1/missions`, {
      method: 'POST',
      headers: { ...requestInit.headers, 'content-type': 'application/json' },
      body: JSON.stringify({ kind: 'expose_service_publicly', inputs: { ...base, ...more } }),
    });
    const api = await response.text();
    const cli = await refused(...flags, ...options);
    const tool = (await client.callTool({
      name: 'system_expose_service_publicly',
      arguments: { ...base, ...more },
    })) as CallToolResult;
    const mcp = tool.content.map((part) => ('text' in part ? part.text : '')).join('\n');
    assert.equal(response.status, 422, api);
    assert.equal(tool.isError, true);
    for (const word of words) for (const said of [api, cli, mcp]) assert.match(said, word);
  }
  // The fix that the words name.
  await json('networks', 'peers', 'create', 'network_id=local', 'name=stray', 'ipv4=127.7.0.3', 'instance_id=stray');
  const mission = await json(...flags, '--target-instance', 'stray', '--issuer', 'internal-ca');
  assert.equal(mission.status, 'proposed');
  for (const kind of ['virtual-ips', 'port-mappings']) assert.deepEqual(await json('networks', kind, 'list'), [], kind);
});

test('a token without the scope, a rate limit, a default certificate: told in words, mended, and done', async (t) => {
  const dns = await startPowerDns(t, { 'shop.example': loopbackZone('shop.example') });
  const pebble = dns && (await startPebble(t, { dnsServer: dns.address }));
  if (dns === undefined || pebble === undefined) return;
  const gate = await startGate(t, pebble.directory, pebble.caPem);
  const hook = await startHook(t);
  await startBackend(t);
  const gatehouse = await startGatehouse(t, {
    env: { GATEHOUSE_ACME_DNS_RESOLVERS: dns.address, GATEHOUSE_ACME_DISABLE_PROPAGATION_CHECK: 'true' },
  });
  const { json, refused, service, told } = person(gatehouse);
  await prepare(gatehouse);
  await json('issuers', 'add', pebble.directory, '--id', 'pebble', '--ca-file', pebble.caFile);
  await json('issuers', 'add', gate.directory, '--id', 'busy', '--ca-file', gate.caFile);
  const file = (name: string, text: string) => {
    const path = join(temporaryDirectory(t), name);
    writeFileSync(path, text);
    return path;
  };
  const powerdns = ['--provider', 'powerdns', '--field', `endpoint=${dns.api}`, '--field-file'];
  const metrics = service('metrics.shop.example', 10);

  // A wrong token is found when it is stored, and refused before anything is made.
  const stored = await gatehouse.cli(
    'dns-credentials',
    'create',
    'wrong',
    ...powerdns,
    `api_key=${file('key', 'nonsense')}`,
    '--json',
  );
  assert.match(stored.stdout + stored.stderr, /failed|401|unauthori/i);
  const scope = await refused(...metrics, '--issuer', 'pebble', '--dns-credential', 'wrong');
  assert.match(scope, /the DNS credential wrong failed its last test: /);
  assert.match(
    scope,
    /too narrow a scope, or an expired one, is the usual cause; .* gatehouse dns-credentials validate/,
  );

  // One that was good when it was stored, and is narrowed since.
  await json(
    'dns-credentials',
    'create',
    'narrowed',
    '--provider',
    'webhook',
    '--zone',
    'shop.example',
    '--field',
    `endpoint=${hook.url}`,
  );
  hook.narrow();
  const narrowed = await json(
    ...service('narrow.shop.example', 12),
    '--issuer',
    'pebble',
    '--dns-credential',
    'narrowed',
  );
  await json('missions', 'approve', narrowed.id, '--no-wait');
  await told(narrowed.id, /an attempt failed: .*403/);

  // The CA's rate limit: its own words, when it may be tried again, and the way out.
  await json('dns-credentials', 'create', 'shop', ...powerdns, `api_key=${file('key', dns.apiKey)}`);
  const limited = await json(...metrics, '--issuer', 'busy', '--dns-credential', 'shop');
  assert.match(
    await refused('missions', 'approve', limited.id),
    /too many certificates \(50\) already issued for "shop\.example"/,
  );
  const failed = await json('missions', 'show', limited.id);
  assert.equal(failed.status, 'failed');
  assert.match(failed.why.summary, /What was made before it stays, and is used again/);
  assert.match(
    failed.why.advice ?? '',
    /^wait until \S+Z, or propose the same with another issuer: letsencrypt-staging/,
  );
  const [half] = (await json('exposures', 'show', 'metrics.shop.example')) as unknown as { status: string }[];
  assert.equal(half?.status, 'incomplete', 'what was made is seen with its state');
  const again = await json(...metrics, '--issuer', 'pebble', '--dns-credential', 'shop');
  assert.deepEqual(
    again.plan.slice(0, 3).map(({ action }) => action),
    ['reuse', 'reuse', 'create'],
  );
  const done = await json('missions', 'approve', again.id);
  assert.equal(done.status, 'succeeded', JSON.stringify(done));

  // A proxy that shows its own certificate, as one that has not loaded ours does.
  const alien = selfSigned({ dns: ['TRAEFIK.DEFAULT.CERT'], ip: [] });
  const other = createServer({ key: alien.key, cert: alien.chain }, (_request, response) => response.end('default'));
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  t.after(() => other.close());
  const { port } = other.address() as { port: number };
  const shown = await json(
    ...metrics.map((word, i) => (metrics[i - 1] === '--listen-port' ? String(port) : word)),
    '--issuer',
    'pebble',
    '--dns-credential',
    'shop',
  );
  const refusal = await refused('missions', 'approve', shown.id);
  assert.match(
    refusal,
    new RegExp(
      `127\\.0\\.0\\.1:${port} serves .*, and not the certificate that was issued for metrics\\.shop\\.example`,
    ),
  );
  const command = /gatehouse (routes compose --certificate \S+?),/.exec(refusal)?.[1];
  assert.ok(command !== undefined, refusal);
  await json(...command.split(' '));
  // The proxy loads it: now the same proposal succeeds.
  const chain = (await gatehouse.cli('certificates', 'chain', 'metrics.shop.example')).stdout;
  assert.match(chain, /BEGIN CERTIFICATE/);
});

test('split horizon: SERVFAIL is told with the setting that mends it; a kill in the middle, and a start with it goes on', async (t) => {
  const dns = await startPowerDns(t, { 'shop.example': loopbackZone('shop.example') });
  const pebble = dns && (await startPebble(t, { dnsServer: dns.address }));
  if (dns === undefined || pebble === undefined) return;
  const inside = await startSmallNameServer(t, () => ({ rcode: 'SERVFAIL' }));
  await startBackend(t);
  const first = await startGatehouse(t, { detached: true, env: { GATEHOUSE_ACME_DNS_RESOLVERS: inside.address } });
  const { json, service, told } = person(first);
  await prepare(first);
  await json('issuers', 'add', pebble.directory, '--id', 'pebble', '--ca-file', pebble.caFile);
  const keyFile = join(temporaryDirectory(t), 'key');
  writeFileSync(keyFile, dns.apiKey);
  const credential = ['--provider', 'powerdns', '--field', `endpoint=${dns.api}`, '--field-file', `api_key=${keyFile}`];
  await json('dns-credentials', 'create', 'shop', ...credential);
  const metrics = [...service('metrics.shop.example', 10), '--issuer', 'pebble', '--dns-credential', 'shop'];
  const proposed = await json(...metrics);
  assert.match(
    proposed.warnings.join('\n'),
    /whether metrics\.shop\.example has a public record is not known: .*answers SERVFAIL/,
  );
  const doctor = await first.cli('doctor', 'metrics.shop.example');
  assert.match(doctor.stdout, /SERVFAIL/);
  assert.match(doctor.stdout, /GATEHOUSE_ACME_DNS_RESOLVERS=/);

  // The record is written, and then nobody can be asked whether it is there: the mission says so at once, and with it
  // the setting that mends it; it waits, and is killed.
  await json('missions', 'approve', proposed.id, '--no-wait');
  await told(
    proposed.id,
    /waiting, up to 300 s in all: could not find the zone of _acme-challenge\.metrics\.shop\.example: [^"]*SERVFAIL[^"]*split horizon[^"]*GATEHOUSE_ACME_DNS_RESOLVERS=/,
  );
  const history = await first.cli('certificates', 'show', 'metrics.shop.example');
  assert.match(history.stdout, /SERVFAIL.*GATEHOUSE_ACME_DNS_RESOLVERS=/, 'the certificate says it too');
  first.killTree();
  await first.ended;
  const ports = { https: Number(new URL(first.ready.edge_https).port), http: 0, api: 0, acme: 0 };
  const second = await startGatehouse(t, {
    dataDir: first.dataDir,
    ports,
    env: { GATEHOUSE_ACME_DNS_RESOLVERS: dns.address, GATEHOUSE_ACME_DISABLE_PROPAGATION_CHECK: 'true' },
  });
  const later = person(second);
  await until(
    'the mission',
    async () => (await later.json('missions', 'show', proposed.id)).status === 'succeeded',
    90_000,
  ).catch(async (error) => {
    throw new Error(`${error}\n${await later.events(proposed.id)}\n${second.output().slice(-3000)}`);
  });
  const counts = async (...argv: string[]) => ((await later.json(...argv)) as unknown as object[]).length;
  assert.deepEqual(
    [
      await counts('networks', 'virtual-ips', 'list'),
      await counts('networks', 'port-mappings', 'list'),
      await counts('exposures', 'list'),
    ],
    [1, 1, 1],
    'one of each thing',
  );
});
