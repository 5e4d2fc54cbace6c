import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo, Server } from 'node:net';
import { type TestContext, test } from 'node:test';
import { createSecureContext, createServer as createTlsServer } from 'node:tls';
import fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import { selfSign } from '../../../test/fixtures/alpn-certificate.ts';
import { startDnsServer } from '../../../test/fixtures/dns-server.ts';
import { dns01Value, keyAuthorization } from '../../acme/index.ts';
import { parseProfileSettings } from '../profile.ts';
import { judgeCaa } from './caa.ts';
import { accountLabel } from './dns-account-01.ts';
import { domainsOf } from './dns-persist-01.ts';
import { VALIDATORS } from './index.ts';
import { mayReach } from './special-addresses.ts';
import type { ValidationPolicy, ValidationTask } from './validator.ts';

const LOOPBACK = ['127.0.0.0/8', '::1/128'];
const policyOf = (validation: object): ValidationPolicy => parseProfileSettings({ validation }).validation;
const taskOf = (policy: ValidationPolicy, changes: Partial<ValidationTask> = {}): ValidationTask => ({
  type: 'http-01',
  identifier: { type: 'dns', value: 'a.localhost' },
  wildcard: false,
  token: 'token',
  thumbprint: 'thumbprint',
  accountUrl: 'https://ca.example/acme/acct/1',
  policy,
  now: 0,
  ...changes,
});
const EXPECTED = keyAuthorization('token', 'thumbprint');
const outcome = (task: ValidationTask) =>
  VALIDATORS[task.type](task, AbortSignal.timeout(5000)).then(
    () => 'valid',
    (error: { code: string; message: string }) => `${error.code.split(':').at(-1)}: ${error.message}`,
  );

async function listen(t: TestContext, server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

test('only global unicast addresses may be reached, whatever form they are written in', () => {
  for (const refused of [
    '127.0.0.1',
    '10.1.2.3',
    '169.254.169.254',
    '100.64.0.1',
    '0.0.0.0',
    '192.0.0.8',
    '198.18.0.1',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    'fe80::1',
    'fc00::1',
    'ff02::1',
    '::ffff:127.0.0.1',
    '::ffff:10.0.0.1',
    '64:ff9b::7f00:1',
    '64:ff9b:1::1',
    '2002:7f00:1::',
    '2002:a00:1::1',
    '2001::1',
    '2001:db8::1',
    '3fff::1',
    '5f00::1',
    'fe80::1%eth0',
    '127.1',
    'localhost',
  ])
    assert.equal(mayReach(refused, []), false, refused);
  for (const allowed of ['8.8.8.8', '1.1.1.1', '2606:4700::1111', '::ffff:8.8.8.8', '2a00:1450::1'])
    assert.ok(mayReach(allowed, []), allowed);
  assert.ok(mayReach('10.1.2.3', ['10.0.0.0/8']) && mayReach('::ffff:10.1.2.3', ['10.0.0.0/8']));
  fc.assert(
    fc.property(
      fc.ipV4(),
      fc.constantFrom('::ffff:', ''),
      (address, prefix) =>
        // ipaddr.js has its own idea of what is unicast, which is a second opinion.
        !mayReach(prefix + address, []) || ipaddr.parse(address).range() === 'unicast',
    ),
  );
});

test('http-01 follows redirects within the rules, and shows nothing of what it fetched', async (t) => {
  let location = '';
  const server = createServer((request, response) => {
    if (request.headers.host?.startsWith('secret.')) return response.end('internal secret');
    if (request.headers.host?.startsWith('big.')) return response.end('x'.repeat(1_000_000));
    if (request.headers.host?.startsWith('ok.') || request.url === '/other') return response.end(`${EXPECTED}\n`);
    response.writeHead(302, { Location: location }).end();
  });
  const port = await listen(t, server);
  const policy = policyOf({ http_port: port, allowed_cidrs: LOOPBACK });
  const at = (value: string) => outcome(taskOf(policy, { identifier: { type: 'dns', value } }));
  assert.equal(await at('ok.localhost'), 'valid');
  location = '/other';
  assert.equal(await at('redirect.localhost'), 'valid');
  location = `http://ok.localhost:${port}/x`;
  assert.equal(await at('redirect.localhost'), 'valid');
  for (const [target, why] of [
    [`http://redirect.localhost:${port}/.well-known/acme-challenge/token`, /circle/],
    ['http://ok.localhost:1/', /port 1/],
    ['ftp://ok.localhost/', /http and https/],
    ['file:///etc/passwd', /http and https/],
    [`http://user:pw@ok.localhost:${port}/`, /password/],
    [`http://10.0.0.1:${port}/`, /may reach/],
    [`http://[::ffff:10.0.0.1]:${port}/`, /may reach/],
    [`http://169.254.169.254:${port}/latest`, /may reach/],
  ] as const) {
    location = target;
    assert.match(await at('redirect.localhost'), why, target);
  }
  assert.doesNotMatch(await at('secret.localhost'), /internal/);
  assert.match(await at('big.localhost'), /^unauthorized/);
  assert.match(await outcome(taskOf(policyOf({ http_port: port }), {})), /^rejectedIdentifier.*allowed_cidrs/);
});

test('tls-alpn-01 wants the protocol, the one name, and the critical extension', async (t) => {
  const certificates: Record<string, ReturnType<typeof selfSign>> = {
    'ok.localhost': selfSign({ dns: ['ok.localhost'], authorization: EXPECTED }),
    'two.localhost': selfSign({ dns: ['two.localhost', 'x.localhost'], authorization: EXPECTED }),
    'soft.localhost': selfSign({ dns: ['soft.localhost'], authorization: EXPECTED, critical: false }),
    'other.localhost': selfSign({ dns: ['other.localhost'], authorization: 'another' }),
    'none.localhost': selfSign({ dns: ['none.localhost'] }),
    '1.0.0.127.in-addr.arpa': selfSign({ ip: ['127.0.0.1'], authorization: EXPECTED }),
  };
  const server = createTlsServer({
    ALPNProtocols: ['acme-tls/1'],
    SNICallback: (name, done) => done(null, certificates[name] && createSecureContext(certificates[name])),
  });
  server.on('tlsClientError', () => {});
  const port = await listen(t, server);
  const policy = policyOf({ tls_port: port, allowed_cidrs: LOOPBACK });
  const at = (value: string) =>
    outcome(
      taskOf(policy, { type: 'tls-alpn-01', identifier: { type: value.startsWith('127') ? 'ip' : 'dns', value } }),
    );
  assert.equal(await at('ok.localhost'), 'valid');
  assert.equal(await at('127.0.0.1'), 'valid');
  assert.match(await at('two.localhost'), /one name/);
  assert.match(await at('soft.localhost'), /not critical/);
  assert.match(await at('other.localhost'), /not the digest/);
  assert.match(await at('none.localhost'), /no acmeIdentifier/);
  const plain = createTlsServer({ ...certificates['ok.localhost'], ALPNProtocols: ['http/1.1'] });
  plain.on('tlsClientError', () => {});
  const wrong = policyOf({ tls_port: await listen(t, plain), allowed_cidrs: LOOPBACK });
  assert.match(
    await outcome(taskOf(wrong, { type: 'tls-alpn-01', identifier: { type: 'dns', value: 'ok.localhost' } })),
    /^(tls|connection)/,
  );
});

test('the dns challenges find their records, through CNAMEs and TCP, and say what is wrong', async (t) => {
  const dns = await startDnsServer(t);
  const policy = policyOf({ resolvers: [dns.address], caa_identities: ['ca.example'] });
  const identifier = { type: 'dns', value: 'shop.example' } as const;
  const txt = (name: string, ...data: string[]) =>
    dns.records.set(
      `${name} TXT`,
      data.map((text) => ({ name, type: 'TXT', data: text })),
    );
  const at = (type: ValidationTask['type'], changes: Partial<ValidationTask> = {}) =>
    outcome(taskOf(policy, { type, identifier, ...changes }));
  assert.match(await at('dns-01'), /^dns: there is no TXT/);
  txt('_acme-challenge.shop.example', 'stale');
  assert.match(await at('dns-01'), /^unauthorized: none of the 1/);
  txt('_acme-challenge.shop.example', 'stale', dns01Value(EXPECTED));
  assert.equal(await at('dns-01'), 'valid');
  dns.truncate = true;
  assert.equal(await at('dns-01'), 'valid', 'by TCP');
  dns.truncate = false;
  dns.records.delete('_acme-challenge.shop.example TXT');
  dns.records.set('_acme-challenge.shop.example CNAME', [
    { name: '_acme-challenge.shop.example', type: 'CNAME', data: 'x.delegated.example' },
  ]);
  txt('x.delegated.example', dns01Value(EXPECTED));
  assert.equal(await at('dns-01'), 'valid', 'by CNAME');
  dns.records.set('_acme-challenge.shop.example CNAME', [
    { name: '_acme-challenge.shop.example', type: 'CNAME', data: '_acme-challenge.shop.example' },
  ]);
  assert.match(await at('dns-01'), /circle/);
  txt(`${accountLabel('https://ca.example/acme/acct/1')}._acme-challenge.shop.example`, dns01Value(EXPECTED));
  assert.equal(await at('dns-account-01'), 'valid');
  const persist = (text: string) => txt('_validation-persist.shop.example', text);
  const account = 'accounturi=https://ca.example/acme/acct/1';
  persist(`ca.example; ${account}`);
  assert.equal(await at('dns-persist-01'), 'valid');
  assert.match(await at('dns-persist-01', { wildcard: true }), /policy=wildcard/);
  persist(`ca.example; ${account}; policy=wildcard; persistUntil=10`);
  assert.equal(await at('dns-persist-01', { wildcard: true }), 'valid');
  assert.match(await at('dns-persist-01', { now: 11_000 }), /expired/);
  dns.records.delete('_validation-persist.shop.example TXT');
  const below = { identifier: { type: 'dns', value: 'a.b.shop.example' } } as const;
  assert.match(await at('dns-persist-01', below), /^dns: there is no TXT record/);
  txt('_validation-persist.shop.example', `ca.example; ${account}`);
  assert.match(await at('dns-persist-01', below), /policy=wildcard/, 'a parent must say that it covers names below');
  txt('_validation-persist.shop.example', `ca.example; ${account}; policy=wildcard`);
  assert.equal(await at('dns-persist-01', below), 'valid');
  assert.deepEqual(domainsOf('a.b.shop.co.uk'), ['a.b.shop.co.uk', 'b.shop.co.uk', 'shop.co.uk']);
  for (const [text, why] of [
    ['other.example; x=1', /another issuer/],
    [`ca.example; ${account}2`, /another account/],
    ['ca.example', /another account/],
    [';;=', /form/],
  ] as const) {
    persist(text);
    assert.match(await at('dns-persist-01'), why, text);
  }
});

test("the account label is the one of the draft's example", () => {
  assert.equal(accountLabel('https://example.com/acme/acct/ExampleAccount'), '_ujmmovf2vn55tgye');
});

test('CAA records are judged as RFC 8659 and RFC 8657 say', () => {
  const policy = policyOf({ caa: true, caa_identities: ['ca.example'] });
  const judge = (records: [tag: string, value: string, flags?: number][], changes: object = {}) =>
    judgeCaa(
      records.map(([tag, value, flags = 0]) => ({ tag, value, flags })),
      { wildcard: false, accountUrl: 'https://a/1', method: 'http-01', policy, ...changes },
    );
  assert.equal(judge([['issue', 'ca.example']]), undefined);
  assert.equal(judge([['iodef', 'mailto:a@b.example']]), undefined);
  assert.match(judge([['issue', ';']])!, /other issuers only/);
  assert.match(judge([['issue', 'other.example']])!, /other issuers only/);
  assert.equal(
    judge([
      ['issue', 'other.example'],
      ['issue', 'CA.example'],
    ]),
    undefined,
  );
  assert.match(
    judge(
      [
        ['issue', 'ca.example'],
        ['issuewild', ';'],
      ],
      { wildcard: true },
    )!,
    /other issuers/,
  );
  assert.equal(
    judge([
      ['issuewild', ';'],
      ['issue', 'ca.example'],
    ]),
    undefined,
  );
  assert.match(
    judge([
      ['issue', 'ca.example'],
      ['tbs', 'x', 128],
    ])!,
    /critical/,
  );
  assert.equal(judge([['issue', 'ca.example; accounturi=https://a/1; validationmethods=dns-01,http-01']]), undefined);
  assert.match(judge([['issue', 'ca.example; accounturi=https://a/2']])!, /another account/);
  assert.match(judge([['issue', 'ca.example; validationmethods=dns-01']])!, /validation method/);
});
