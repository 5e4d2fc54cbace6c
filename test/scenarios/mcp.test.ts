// MCP as its clients use it: the SDK's own client over streamable HTTP and over standard input.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import { blocksOf } from '../fixtures/documents.ts';
import { ROOT, type RunningGatehouse, startGatehouse } from '../fixtures/gatehouse.ts';

async function connected(t: TestContext, transport: Transport): Promise<Client> {
  const client = new Client({ name: 'test', version: '1' });
  await client.connect(transport);
  t.after(() => client.close());
  return client;
}

const overHttp = (t: TestContext, { ready }: RunningGatehouse, token = ready.admin_token) =>
  connected(
    t,
    new StreamableHTTPClientTransport(new URL(ready.mcp), {
      requestInit: { headers: { authorization: `Bearer ${token}` } },
    }) as Transport,
  );

const call = async (client: Client, name: string, input: Record<string, unknown> = {}) =>
  (await client.callTool({ name, arguments: input })) as CallToolResult;
const text = ({ content }: CallToolResult) => content.map((part) => ('text' in part ? part.text : '')).join('\n');

test('tools over HTTP: lists, refusals in words, and proposals that wait for a person', async (t) => {
  const gatehouse = await startGatehouse(t);
  const client = await overHttp(t, gatehouse);
  const { tools } = await client.listTools();
  const names = tools.map(({ name }) => name);
  for (const name of [
    'system_expose_service_publicly',
    'system_unexpose_service',
    'system_acme_provision_certificate',
    'system_reverse_proxy_compose',
    'system_acme_validate_dns_credential',
    'system_acme_create_dns_credential',
    'system_acme_get_certificate',
    'system_acme_list_certificates',
    'system_acme_renew_certificate',
    'system_acme_revoke_certificate',
    'system_list_ingress_routes',
    'system_sdwan_list_networks',
    'system_sdwan_create_port_mapping',
    'system_doctor',
  ])
    assert.ok(names.includes(name), name);
  assert.deepEqual(
    names.filter((name) => /approve|reject|run|execute/.test(name)),
    [],
    'no tool approves or runs',
  );
  for (const { name, annotations, outputSchema } of tools)
    assert.ok(outputSchema !== undefined && annotations?.readOnlyHint !== undefined, name);

  const empty = await call(client, 'system_expose_service_publicly');
  assert.equal(empty.isError, true);
  assert.match(text(empty), /exactly one of target_peer_id and target_instance_id is required; neither was given/);

  const network = await call(client, 'system_sdwan_create_network', { name: 'prod', ipv6: 'fd42::/64' });
  const { network: made } = network.structuredContent as { network: { id: string } };
  const peer = (input: object) => call(client, 'system_sdwan_create_peer', { network_id: made.id, ...input });
  await peer({ name: 'hub', ipv6: 'fd42::1', publicly_reachable: true, public_ipv6: '2001:db8::1' });
  await peer({ name: 'app', ipv6: 'fd42::2' });
  const mapping = await call(client, 'system_sdwan_create_port_mapping', {
    network_id: 'prod',
    hub_peer_id: 'hub',
    listen_port: 53,
    protocol: 'udp',
    target_peer_id: 'app',
    target_port: 5353,
  });
  const { port_mapping: closed } = mapping.structuredContent as {
    port_mapping: { opened: boolean; mission: { status: string } };
  };
  assert.deepEqual([closed.opened, closed.mission.status], [false, 'proposed'], text(mapping));
  const proposed = await call(client, 'system_expose_service_publicly', {
    service_hostname: 'metrics.localhost',
    service_protocol: 'https',
    sdwan_network_id: 'prod',
    sdwan_hub_peer_id: 'hub',
    vip_cidr: 'fd42::10/128',
    backend_port: 8080,
    target_peer_id: 'app',
    tls_issuer: 'internal-ca',
  });
  const { mission } = proposed.structuredContent as { mission: { id: string; status: string } };
  assert.equal(mission.status, 'proposed', text(proposed));
  assert.match(text(proposed), new RegExp(`gatehouse missions approve ${mission.id}`));
  const looked = await call(client, 'system_get_mission', { mission_id: mission.id });
  assert.equal((looked.structuredContent as { mission: { status: string } }).mission.status, 'proposed');

  const { resources } = await client.listResources();
  assert.deepEqual(
    resources.map(({ uri }) => uri),
    ['gatehouse://routes', 'gatehouse://certificates', 'gatehouse://missions'],
  );
  const { resourceTemplates } = await client.listResourceTemplates();
  assert.deepEqual(
    resourceTemplates.map(({ uriTemplate }) => uriTemplate),
    ['gatehouse://routes/{route}', 'gatehouse://certificates/{certificate}', 'gatehouse://missions/{mission}'],
  );
  const one = await client.readResource({ uri: `gatehouse://missions/${mission.id}` });
  assert.match(JSON.stringify(one.contents), /proposed/);
  await assert.rejects(
    client.readResource({ uri: 'gatehouse://certificates/%zz' }),
    /is not a host name|no certificate/,
  );
  await assert.rejects(client.readResource({ uri: 'gatehouse://elsewhere/x' }), /there is no resource/);
  const read = await client.readResource({ uri: 'gatehouse://missions' });
  assert.match(JSON.stringify(read.contents), new RegExp(mission.id));
  assert.match(
    text(await call(client, 'system_reverse_proxy_compose', { certificate_id: 'nobody.localhost' })),
    /no certificate/,
  );
  assert.match(text(await call(client, 'system_acme_get_certificate')), /certificate_id/);
});

test('a token without the floor or the permission of a tool is refused by name; no token gets 401', async (t) => {
  const gatehouse = await startGatehouse(t);
  const token = async (...permissions: string[]) => {
    const { stdout } = await gatehouse.cli(
      'tokens',
      'create',
      permissions[0]!,
      ...permissions.flatMap((p) => ['--permission', p]),
      '--json',
    );
    return (JSON.parse(stdout) as { token: string }).token;
  };
  const reader = await overHttp(t, gatehouse, await token('system.ingress.read'));
  assert.equal((await call(reader, 'system_list_ingress_routes')).isError, undefined);
  const refused = await call(reader, 'system_expose_service_publicly', {});
  assert.equal(refused.isError, true);
  assert.match(text(refused), /needs the permission system\.ingress\.manage/);
  const other = await overHttp(t, gatehouse, await token('apps.read'));
  await assert.rejects(other.listTools(), /system\.ingress\.read/);
  const none = await fetch(gatehouse.ready.mcp, {
    method: 'POST',
    body: '{}',
    headers: { 'content-type': 'application/json' },
  });
  assert.equal(none.status, 401);
});

test('the same over standard input, as docs/mcp.md configures a client', async (t) => {
  const [block] = blocksOf('docs/mcp.md').filter(({ language }) => language === 'json');
  const { mcpServers } = JSON.parse(block?.text ?? '') as {
    mcpServers: { gatehouse: { command: string; args: string[] } };
  };
  const { command, args } = mcpServers.gatehouse;
  assert.equal(command, 'gatehouse');
  const gatehouse = await startGatehouse(t);
  const env = { ...process.env, GATEHOUSE_DATA_DIR: gatehouse.dataDir } as Record<string, string>;
  const transport = new StdioClientTransport({
    command: join(ROOT, 'bin', command),
    args,
    env,
    stderr: 'pipe',
  });
  const client = await connected(t, transport);
  assert.ok((await client.listTools()).tools.length > 20);
  const { isError, structuredContent } = await call(client, 'system_acme_list_certificates');
  assert.equal(isError, undefined);
  assert.ok(Array.isArray((structuredContent as { certificates: unknown[] }).certificates));
});
