// Each symptom of the table in docs/domains.md, made on purpose, has its cause and its recovery in the answer itself.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { test } from 'node:test';
import type packet from 'dns-packet';
import type { Domain } from '../../src/contract/index.ts';
import { callerOf, startGatehouse } from '../fixtures/gatehouse.ts';
import { startSampleUpstream } from '../fixtures/sample-upstream.ts';
import { type SmallAnswer, startSmallNameServer } from '../fixtures/small-name-server.ts';
import { until } from '../fixtures/until.ts';

const ZONE = 'gate.test';
/** Where nothing listens, and where something else does; both count as ours, so that DNS is no reason to wait. */
const SILENT = '127.9.9.1';
const FOREIGN = '127.9.9.2';

const soa = {
  type: 'SOA',
  name: ZONE,
  ttl: 1,
  data: { mname: `ns.${ZONE}`, rname: `ops.${ZONE}`, serial: 1, refresh: 60, retry: 60, expire: 600, minimum: 1 },
} as const;
const nothing: SmallAnswer = { rcode: 'NXDOMAIN', authorities: [soa] };
const at = (name: string, address: string): packet.Answer => ({ type: 'A', name, ttl: 1, data: address });

/** What the zone says, by the first label of the name. */
const SAYS: Record<string, (type: string, name: string, checked: boolean) => SmallAnswer> = {
  late: () => nothing,
  silent: (type, name) => (type === 'A' ? { answers: [at(name, SILENT)] } : { authorities: [soa] }),
  foreign: (type, name) => (type === 'A' ? { answers: [at(name, FOREIGN)] } : { authorities: [soa] }),
  behind: (type, name) => {
    const cname: packet.Answer = { type: 'CNAME', name, ttl: 1, data: 'd111111abcdef8.cloudfront.net' };
    return type === 'A' ? { answers: [cname, at(cname.data as string, '198.51.100.9')] } : { answers: [cname] };
  },
  unsigned: (type, name, checked) =>
    checked ? { rcode: 'SERVFAIL' } : type === 'A' ? { answers: [at(name, '127.0.0.1')] } : { authorities: [soa] },
  forbidden: (type, name) =>
    type === 'CAA'
      ? { answers: [{ type: 'CAA', name, ttl: 1, data: { flags: 0, tag: 'issue', value: 'other.example' } }] }
      : type === 'A'
        ? { answers: [at(name, '127.0.0.1')] }
        : { authorities: [soa] },
};
const here: (typeof SAYS)[string] = (type, name) =>
  type === 'A' ? { answers: [at(name, '127.0.0.1')] } : { authorities: [soa] };

test('what is wrong is said with its cause and its recovery', async (t) => {
  const nameServer = await startSmallNameServer(t, ({ type, name, checked }) => {
    const asked = name.toLowerCase();
    if (asked === ZONE && type === 'SOA') return { answers: [soa] };
    if (asked === ZONE && type === 'NS') return { answers: [{ type: 'NS', name, ttl: 1, data: `ns.${ZONE}` }] };
    if (asked === ZONE || !asked.endsWith(`.${ZONE}`) || asked.startsWith('_')) return nothing;
    return (SAYS[asked.split('.')[0]!] ?? here)(type, name, checked);
  });
  const upstream = await startSampleUpstream(t);
  const gatehouse = await startGatehouse(t, {
    config: `
edge: { https_port: 0, http_port: 0, workers: 1 }
api: { port: 0 }
acme_server: { port: 0 }
agents: { port: 0 }
acme: { dns_resolvers: ["${nameServer.address}"] }
domains: { addresses: ["127.0.0.1", "${SILENT}", "${FOREIGN}"] }
`,
  });
  const call = callerOf(gatehouse);
  const { acme_directory, ca_root_file, edge_https, edge_http } = gatehouse.ready;
  const other = createServer((_, response) => response.writeHead(404).end('another server'));
  await new Promise<void>((resolve) => other.listen(Number(new URL(edge_http).port), FOREIGN, resolve));
  t.after(() => other.close());
  const validation = {
    http_port: Number(new URL(edge_http).port),
    tls_port: Number(new URL(edge_https).port),
    allowed_cidrs: ['127.0.0.0/8'],
    resolvers: [nameServer.address],
  };
  const issuer = async (id: string, more: object) => {
    await call('POST', '/system/acme_profiles', { id, auth_mode: 'challenge', ...more });
    const directory = acme_directory.replace(/\/acme\/.*$/, `/acme/profile/${id}/directory`);
    const added = await gatehouse.cli('issuers', 'add', directory, '--id', id, '--ca-file', ca_root_file);
    assert.equal(added.code, 0, added.stderr);
  };
  await issuer('plain', { validation, names: { deny: [`refused.${ZONE}`] } });
  await issuer('tight', { validation, limits: { orders: { count: 1, per_seconds: 3600 } } });
  await issuer('strict', { validation: { ...validation, caa: true, caa_identities: ['ca.example'] } });
  await call('POST', '/apps', { id: 'shop', upstreams: [upstream.url] });

  const add = (label: string, issuers: string) =>
    call<Domain>('POST', '/apps/shop/domains', { domain: `${label}.${ZONE}`, issuers: [issuers] });
  /** The entry whose symptom is like that, once it and the status are there. */
  const trouble = async (label: string, symptom: RegExp, status: string) => {
    let seen: Domain | undefined;
    const find = () => seen?.troubleshooting.find((one) => symptom.test(one.symptom));
    await until(`${label}: ${symptom}`, async () => {
      seen = await call<Domain>('GET', `/apps/shop/domains/${label}.${ZONE}`);
      return find() !== undefined && seen.tls_status === status;
    }).catch((error: Error) => assert.fail(`${error.message}: ${JSON.stringify(seen, undefined, 1)}`));
    return find()!;
  };

  const ROWS: [label: string, issuer: string, symptom: RegExp, status: string, cause: RegExp, recovery: RegExp][] = [
    [
      'late',
      'plain',
      /is pending/,
      'pending',
      /DNS is not set or has not spread/,
      /^set: late\.gate\.test\. .* verify$/,
    ],
    ['silent', 'plain', /is failed/, 'failed', /challenge could not reach this edge/, /open ports 80 and 443/],
    ['foreign', 'plain', /is failed/, 'failed', /something else than this edge/, /point the name here/],
    ['refused', 'plain', /is failed/, 'failed', /does not issue for this name/, /use another issuer/],
    ['first', 'tight', /issued, but a browser/, 'issued', /HSTS/, /wait 30 seconds/],
    [
      'second',
      'tight',
      /is failed|is pending|last attempt/,
      'failed',
      /rate limit is used up/,
      /next attempt is planned/,
    ],
    ['forbidden', 'strict', /^CAA:/, 'failed', /CAA record of the zone/, /add the authority to the CAA record/],
    ['behind', 'plain', /answers for the name/, 'pending', /content delivery network/, /acme-challenge/],
    ['unsigned', 'plain', /validating resolvers refuse/, 'pending', /DNSSEC of the zone is broken/, /DS record/],
  ];
  for (const [label, issuers] of ROWS) {
    await add(label, issuers);
    if (label === 'first')
      await until('the first is issued', async () => {
        const { tls_status } = await call<Domain>('GET', `/apps/shop/domains/first.${ZONE}`);
        return tls_status === 'issued';
      });
  }
  for (const [label, , symptom, status, cause, recovery] of ROWS)
    await t.test(label, async () => {
      const found = await trouble(label, symptom, status);
      assert.match(found.likely_cause, cause);
      assert.match(found.recovery, recovery);
    });
});
