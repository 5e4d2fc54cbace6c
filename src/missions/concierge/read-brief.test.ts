import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Known } from './known.ts';
import { type Fields, readAnswer, readBrief } from './read-brief.ts';
import type { Intent } from './read-intent.ts';

const KNOWN: Known = {
  networks: [
    { id: 'net_prod', name: 'prod', free: ['fd42::4'] },
    { id: 'net_lab', name: 'lab.eu', free: [] },
  ],
  peers: [
    { id: 'peer_hub', name: 'edge-1', networkId: 'net_prod', hub: true },
    { id: 'peer_hub2', name: 'frankfurt', networkId: 'net_prod', hub: true },
    { id: 'peer_metrics', name: 'metrics', networkId: 'net_prod', hub: false },
    { id: 'peer_db', name: 'db-2', networkId: 'net_prod', hub: false },
  ],
  instances: [{ id: 'ins_graf', name: 'grafana-1', networkIds: ['net_prod'] }],
  issuers: ['internal-ca', 'letsencrypt-staging', 'letsencrypt-prod', 'zerossl'],
  credentials: [
    { id: 'dnc_cf', name: 'Cloudflare main', provider: 'cloudflare', zones: ['example.com'] },
    { id: 'dnc_r53', name: 'aws', provider: 'route53', zones: [] },
  ],
  exposed: [],
};

const PHRASINGS = new URL('../../../test/data/phrasings.txt', import.meta.url);
const M = { service_hostname: 'metrics.example.com' };
const TABLE: [text: string, intent: Intent | undefined, fields: Fields][] = [
  // Seed b's own sentence, and its neighbours.
  ['make metrics.example.com reachable from the internet at port 8080', 'expose', { ...M, backend_port: 8080 }],
  ['Make metrics.example.com reachable from the Internet at port 8080.', 'expose', { ...M, backend_port: 8080 }],
  ['please make metrics.example.com publicly available on port 8080', 'expose', { ...M, backend_port: 8080 }],
  ['expose metrics.example.com', 'expose', M],
  [
    'Expose metrics.example.com, port 3000, over https',
    'expose',
    { ...M, backend_port: 3000, service_protocol: 'https' },
  ],
  [
    'publish https://metrics.example.com/ from port 9090',
    'expose',
    { ...M, backend_port: 9090, service_protocol: 'https' },
  ],
  ['can you put metrics.example.com online? it listens on 8080', 'expose', { ...M, backend_port: 8080 }],
  ['I want people to reach it: open metrics.example.com to the internet', 'expose', M],
  ['let the internet reach metrics.example.com', 'expose', M],
  ['give metrics.example.com a public endpoint, backend is at localhost:9100', 'expose', { ...M, backend_port: 9100 }],
  ['metrics.example.com should be accessible from the outside', 'expose', M],
  [
    'metrics.example.com must be visible on the web, plain http, tcp/8081',
    'expose',
    { ...M, service_protocol: 'http', backend_port: 8081 },
  ],
  ['expose METRICS.Example.COM without TLS', 'expose', { ...M, service_protocol: 'http' }],
  ['expose metrics.example.com over plain http', 'expose', { ...M, service_protocol: 'http' }],
  ['expose metrics.example.com securely', 'expose', { ...M, service_protocol: 'https' }],
  ['bring metrics.example.com online with a certificate', 'expose', { ...M, service_protocol: 'https' }],
  ['go public with metrics.example.com', 'expose', M],
  ['expose bücher.example.com', 'expose', { service_hostname: 'xn--bcher-kva.example.com' }],
  // Networks, hubs, backends.
  [
    'expose metrics.example.com in network prod via hub edge-1',
    'expose',
    { ...M, sdwan_network_id: 'net_prod', sdwan_hub_peer_id: 'peer_hub' },
  ],
  ['expose metrics.example.com through edge-1', 'expose', { ...M, sdwan_hub_peer_id: 'peer_hub' }],
  ['expose metrics.example.com on the prod network', 'expose', { ...M, sdwan_network_id: 'net_prod' }],
  ['expose metrics.example.com via frankfurt', 'expose', { ...M, sdwan_hub_peer_id: 'peer_hub2' }],
  [
    'expose metrics.example.com, it runs on metrics, port 80',
    'expose',
    { ...M, target_peer_id: 'peer_metrics', backend_port: 80 },
  ],
  ['expose metrics.example.com which runs on db-2', 'expose', { ...M, target_peer_id: 'peer_db' }],
  ['expose metrics.example.com from instance grafana-1', 'expose', { ...M, target_instance_id: 'ins_graf' }],
  [
    'expose metrics.example.com on peer_db through peer_hub',
    'expose',
    { ...M, target_peer_id: 'peer_db', sdwan_hub_peer_id: 'peer_hub' },
  ],
  ['expose x.example.net in lab.eu', 'expose', { service_hostname: 'x.example.net', sdwan_network_id: 'net_lab' }],
  // Addresses.
  ['expose metrics.example.com at fd42::10/128', 'expose', { ...M, vip_cidr: 'fd42::10/128' }],
  ['expose metrics.example.com with the virtual ip fd42::10', 'expose', { ...M, vip_cidr: 'fd42::10/128' }],
  [
    'expose metrics.example.com at 10.42.0.9 port 8080',
    'expose',
    { ...M, vip_cidr: '10.42.0.9/32', backend_port: 8080 },
  ],
  [
    'expose metrics.example.com, vip fd42::10/128 and 10.42.0.9/32',
    'expose',
    { ...M, vip_cidr: 'fd42::10/128, 10.42.0.9/32' },
  ],
  ['expose metrics.example.com, service at 127.0.0.1:8080', 'expose', { ...M, backend_port: 8080 }],
  // Ports.
  [
    'expose metrics.example.com on public port 8443 with backend port 9000',
    'expose',
    { ...M, listen_port: 8443, backend_port: 9000 },
  ],
  ['expose metrics.example.com, backend port is 9000', 'expose', { ...M, backend_port: 9000 }],
  ['expose metrics.example.com:8080 to the internet', 'expose', { ...M, backend_port: 8080 }],
  ['expose metrics.example.com, 8080/tcp', 'expose', { ...M, backend_port: 8080 }],
  ['expose metrics.example.com at port 99999', 'expose', M],
  // Certificates.
  ["expose metrics.example.com with Let's Encrypt staging", 'expose', { ...M, tls_issuer: 'letsencrypt-staging' }],
  [
    "expose metrics.example.com with a Let's Encrypt certificate",
    'expose',
    { ...M, tls_issuer: 'letsencrypt-prod', service_protocol: 'https' },
  ],
  ['expose metrics.example.com with our own CA', 'expose', { ...M, tls_issuer: 'internal-ca' }],
  ['expose metrics.example.com, issuer zerossl', 'expose', { ...M, tls_issuer: 'zerossl' }],
  ['expose metrics.example.com with the Cloudflare main credential', 'expose', { ...M, dns_credential_id: 'dnc_cf' }],
  [
    'expose metrics.example.com, credential aws, dns-01',
    'expose',
    { ...M, dns_credential_id: 'dnc_r53', challenge_type: 'dns-01' },
  ],
  [
    'expose metrics.example.com, the service ends TLS itself',
    'expose',
    { ...M, termination: 'backend', service_protocol: 'https' },
  ],
  [
    'expose metrics.example.com with TLS passthrough',
    'expose',
    { ...M, termination: 'backend', service_protocol: 'https' },
  ],
  // Taking down, approving, and not doing.
  ['unexpose metrics.example.com', 'unexpose', M],
  ['take metrics.example.com down', 'unexpose', M],
  ['stop exposing metrics.example.com', 'unexpose', M],
  ['make metrics.example.com private again', 'unexpose', M],
  ['remove metrics.example.com from the internet', 'unexpose', M],
  ['metrics.example.com should no longer be reachable from the internet', 'unexpose', M],
  ["please don't expose metrics.example.com", 'refuse', M],
  ['never make metrics.example.com public', 'refuse', M],
  ['approve', 'approve', {}],
  ['yes, go ahead', 'approve', {}],
  ['run it now', 'approve', {}],
  ['help', 'help', {}],
  ['hello there', 'help', {}],
  // Nothing to do with it.
  ['what is the weather like?', undefined, {}],
  ['the e-mail of ops@example.com bounced', undefined, {}],
  ['version 1.2.3 is out', undefined, {}],
];

test('a table of phrasings', () => {
  for (const [text, intent, fields] of TABLE)
    assert.deepEqual(readBrief(text, KNOWN), { ...(intent && { intent }), fields }, text);
});

test('a longer table of phrasings, with slips, ports in words and injected instructions', () => {
  const wrong: string[] = [];
  let lines = 0;
  for (const line of readFileSync(PHRASINGS, 'utf8').split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    lines++;
    const [intent = '', text = '', inputs = ''] = line.split(' | ').map((part) => part.replace(/ \|$/, ''));
    const fields: Fields = {};
    for (const word of inputs.split(' ').filter((one) => one !== '')) {
      const [name = '', value = ''] = word === 'M' ? ['service_hostname', M.service_hostname] : word.split('=');
      // Ports are numbers; a space is written as a low line.
      Object.assign(fields, { [name]: name.endsWith('_port') ? Number(value) : value.replaceAll('_10.', ' 10.') });
    }
    const read = readBrief(text, KNOWN);
    const said = JSON.stringify([read.intent ?? 'none', ...Object.entries(read.fields).sort()]);
    const wanted = JSON.stringify([intent, ...Object.entries(fields).sort()]);
    if (said !== wanted) wrong.push(`${text}\n    is    ${said}\n    wants ${wanted}`);
  }
  assert.ok(lines > 200, `${lines} lines`);
  assert.equal(wrong.join('\n'), '');
});

test('the brief that the wizard composes', () => {
  const brief = readBrief(
    `Expose a service publicly.
Public hostname: metrics.example.com
Protocol: https
Backend port: 8080
SDWAN network: prod
SDWAN hub peer: edge-1
VIP CIDR: fd42::10/128
Target peer: metrics
TLS issuer: letsencrypt-staging
DNS credential: Cloudflare main (cloudflare)`,
    KNOWN,
  );
  assert.deepEqual(brief, {
    intent: 'expose',
    fields: {
      ...M,
      service_protocol: 'https',
      backend_port: 8080,
      sdwan_network_id: 'net_prod',
      sdwan_hub_peer_id: 'peer_hub',
      vip_cidr: 'fd42::10/128',
      target_peer_id: 'peer_metrics',
      tls_issuer: 'letsencrypt-staging',
      dns_credential_id: 'dnc_cf',
    },
  });
  assert.deepEqual(readBrief('service_hostname=metrics.example.com\nbackend_port=1', KNOWN), {
    intent: 'expose',
    fields: { ...M, backend_port: 1 },
  });
});

test('answers to single questions', () => {
  assert.equal(readAnswer('backend_port', ' 8080 ', KNOWN), 8080);
  assert.equal(readAnswer('backend_port', 'port 8080', KNOWN), 8080);
  assert.equal(readAnswer('backend_port', '0', KNOWN), undefined);
  assert.equal(readAnswer('sdwan_network_id', 'Prod', KNOWN), 'net_prod');
  assert.equal(readAnswer('dns_credential_id', 'dnc_cf', KNOWN), 'dnc_cf');
  assert.equal(readAnswer('service_hostname', 'https://metrics.example.com/x', KNOWN), 'metrics.example.com');
  assert.equal(readAnswer('service_protocol', 'HTTPS please', KNOWN), 'https');
});

test('any text is read in bounded time and gives only values that inputs may have', () => {
  const word = fc.constantFrom(
    'expose',
    'a.example.com',
    '8080',
    'port',
    'network',
    'prod',
    '::',
    '/',
    ':',
    '"',
    '(',
    '\n',
    'x'.repeat(500),
    '.',
    '-',
    '=',
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ maxLength: 3000 }),
        fc.array(word, { maxLength: 200 }).map((list) => list.join(' ')),
      ),
      (text) => {
        const { fields } = readBrief(text, KNOWN);
        for (const value of Object.values(fields)) assert.ok(typeof value === 'number' || value.length <= 300);
      },
    ),
    { numRuns: 300 },
  );
  // Catastrophic backtracking would run into the test's own time limit.
  for (const evil of [
    'a.'.repeat(4000),
    'make '.repeat(2000),
    ':'.repeat(4000),
    '1.'.repeat(4000),
    'put a '.repeat(1000),
  ])
    readBrief(evil, KNOWN);
});
