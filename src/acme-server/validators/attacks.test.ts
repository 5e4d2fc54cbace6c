import assert from 'node:assert/strict';
import { createServer, type IncomingMessage } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { type TestContext, test } from 'node:test';
import ipaddr from 'ipaddr.js';
import { selfSign } from '../../../test/fixtures/alpn-certificate.ts';
import { startDnsServer } from '../../../test/fixtures/dns-server.ts';
import { keyAuthorization } from '../../acme/index.ts';
import { parseProfileSettings } from '../profile.ts';
import { validateHttp01 } from './http-01.ts';
import { mayReach } from './special-addresses.ts';
import { SPECIAL_V4, SPECIAL_V6 } from './special-purpose.ts';

const ipv6 = (bytes: readonly number[]) => ipaddr.fromByteArray([...bytes]).toString();
/** First, last and one in the middle of a block. */
function samplesOf(block: string): number[][] {
  const [address, length] = ipaddr.parseCIDR(block);
  const first = address.toByteArray();
  const filled = (host: number) =>
    first.map((byte, index) => {
      const mask = 0xff >> Math.max(0, Math.min(8, length - index * 8));
      return byte | (host & mask);
    });
  return [filled(0), filled(0xff), filled(0x55)];
}

/** Every way of IPv6 to carry an IPv4 address. */
const CARRIERS: Record<string, (v4: readonly number[]) => number[]> = {
  mapped: (v4) => [...Array(10).fill(0), 0xff, 0xff, ...v4],
  compatible: (v4) => [...Array(12).fill(0), ...v4],
  translated: (v4) => [...Array(8).fill(0), 0xff, 0xff, 0, 0, ...v4],
  NAT64: (v4) => [0, 0x64, 0xff, 0x9b, ...Array(8).fill(0), ...v4],
  'local NAT64': (v4) => [0, 0x64, 0xff, 0x9b, 0, 1, ...Array(6).fill(0), ...v4],
  '6to4': (v4) => [0x20, 0x02, ...v4, ...Array(9).fill(0), 1],
  // The client's address is written inverted (RFC 4380 §4).
  Teredo: (v4) => [0x20, 1, 0, 0, 8, 8, 8, 8, 0, 0, 0, 80, ...v4.map((byte) => byte ^ 0xff)],
  'Teredo server': (v4) => [0x20, 1, 0, 0, ...v4, 0, 0, 0, 80, 247, 247, 247, 247],
};

test('no address of a special-purpose registry may be reached, in any form that carries it', () => {
  for (const [block, name] of SPECIAL_V4)
    for (const bytes of samplesOf(block)) {
      assert.equal(mayReach(bytes.join('.'), []), false, `${bytes.join('.')} (${name})`);
      for (const [carrier, write] of Object.entries(CARRIERS))
        assert.equal(mayReach(ipv6(write(bytes)), []), false, `${bytes.join('.')} (${name}) as ${carrier}`);
    }
  // Mapped ones are the IPv4 address that they hold, and were tried above.
  for (const [block, name] of SPECIAL_V6)
    for (const bytes of samplesOf(block))
      if (block !== '::ffff:0:0/96') assert.equal(mayReach(ipv6(bytes), []), false, `${ipv6(bytes)} (${name})`);
  // A public address is reached as itself and as what the kernel takes for itself, not through other people's gateways.
  for (const [carrier, write] of Object.entries(CARRIERS))
    assert.equal(mayReach(ipv6(write([8, 8, 8, 8])), []), carrier === 'mapped', carrier);
});

test('an allowed block lets in what is written in it, and no gateway to it', () => {
  for (const [carrier, write] of Object.entries(CARRIERS))
    assert.equal(mayReach(ipv6(write([10, 1, 2, 3])), ['10.0.0.0/8']), carrier === 'mapped', carrier);
  assert.ok(mayReach('64:ff9b::a01:203', ['64:ff9b::/96']));
  assert.equal(mayReach('10.1.2.3', ['64:ff9b::/96', 'fd00::/8']), false);
});

const EXPECTED = keyAuthorization('token', 'thumbprint');

async function listen(t: TestContext, server: Server, host: string, port = 0): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

/** A web server on 127.0.0.1, which may be reached, and a trap on 127.0.0.2, which may not; what the trap has seen. */
async function world(t: TestContext) {
  const dns = await startDnsServer(t);
  const trapped: string[] = [];
  let answer: (request: IncomingMessage) => string | undefined = () => undefined;
  const web = createServer((request, response) => {
    const location = answer(request);
    if (location === undefined) response.end(EXPECTED);
    else response.writeHead(302, { Location: location }).end();
  });
  const port = await listen(t, web, '127.0.0.1');
  const trap = createServer((request, response) => {
    trapped.push(`${request.headers.host}${request.url}`);
    response.end(EXPECTED);
  });
  await listen(t, trap, '127.0.0.2', port);
  const secure = createTlsServer(selfSign({ dns: ['whoever.example'] }), (_, response) => response.end(EXPECTED));
  const tlsPort = await listen(t, secure, '127.0.0.1');
  const settings = { http_port: port, tls_port: tlsPort, allowed_cidrs: ['127.0.0.1/32'], resolvers: [dns.address] };
  const policy = parseProfileSettings({ validation: settings }).validation;
  const resolve = (name: string, ...addresses: string[]) =>
    dns.records.set(
      `${name} A`,
      addresses.map((data) => ({ name, type: 'A' as const, data })),
    );
  const check = (value: string, type: 'dns' | 'ip' = 'dns') =>
    validateHttp01(
      {
        type: 'http-01',
        identifier: { type, value },
        wildcard: false,
        token: 'token',
        thumbprint: 'thumbprint',
        accountUrl: '',
        policy,
        now: 0,
      },
      AbortSignal.timeout(5000),
    ).then(
      () => 'valid',
      (error: Error) => error.message,
    );
  const onRequest = (next: typeof answer) => {
    answer = next;
  };
  return { dns, port, tlsPort, trapped, resolve, check, onRequest };
}

test('ten redirects are followed and the eleventh is not; a circle ends sooner, also one that grows its query', async (t) => {
  const { port, resolve, check, onRequest } = await world(t);
  resolve('a.example', '127.0.0.1');
  let hops = 0;
  const chain = (length: number) => {
    hops = 0;
    onRequest(() => (hops++ < length ? `http://a.example:${port}/hop/${hops}` : undefined));
    return check('a.example');
  };
  assert.equal(await chain(10), 'valid');
  assert.match(await chain(11), /more than 10 redirects/);
  assert.equal(hops, 11, 'requests in all');
  onRequest(({ url }) => (url === '/one' ? '/two' : '/one'));
  assert.match(await check('a.example'), /circle/);
  let grown = 0;
  onRequest(() => `/?${'x'.repeat(++grown)}`);
  assert.match(await check('a.example'), /more than 10 redirects/);
});

test('every hop is judged anew: other ports, schemes, places, and a name that has moved meanwhile', async (t) => {
  const { dns, port, tlsPort, trapped, resolve, check, onRequest } = await world(t);
  resolve('a.example', '127.0.0.1');
  resolve('inside.example', '127.0.0.2');
  const to = async (location: string) => {
    onRequest(({ url }) => (url === '/.well-known/acme-challenge/token' ? location : undefined));
    return check('a.example');
  };
  assert.equal(await to(`https://a.example:${tlsPort}/x`), 'valid', 'whatever its certificate says');
  for (const [location, why] of [
    [`http://inside.example:${port}/`, /may reach/],
    [`http://127.0.0.2:${port}/`, /may reach/],
    [`http://0177.0.0.2:${port}/`, /may reach/],
    [`http://2130706434:${port}/`, /may reach/],
    [`http://0x7f.2:${port}/`, /may reach/],
    [`http://[::ffff:127.0.0.2]:${port}/`, /may reach/],
    [`http://[64:ff9b::7f00:2]:${port}/`, /may reach/],
    [`http://[2002:7f00:2::1]:${port}/`, /may reach/],
    [`http://nowhere.example:${port}/`, /nowhere\.example/],
    ['http://a.example:22/', /port 22/],
    [`gopher://a.example:${port}/`, /http and https/],
    ['javascript:alert(1)', /http and https/],
    [`http://x@a.example:${port}/`, /password/],
    ['http://', /usable Location/],
    [`/${'x'.repeat(2001)}`, /usable Location/],
  ] as const)
    assert.match(await to(location), why, location);
  // Rebinding: the name moves inside after the first look, and the next hop looks again.
  onRequest(({ url }) => {
    resolve('a.example', '127.0.0.2');
    return url === '/.well-known/acme-challenge/token' ? '/again' : undefined;
  });
  assert.match(await check('a.example'), /may reach/);
  assert.equal(dns.asked.filter((question) => question === 'a.example A').length > 0, true);
  // Of several addresses only those are tried that may be reached.
  onRequest(() => undefined);
  resolve('a.example', '127.0.0.2', '127.0.0.1', '10.0.0.1');
  assert.equal(await check('a.example'), 'valid');
  assert.match(await check('127.0.0.2', 'ip'), /may reach/);
  assert.deepEqual(trapped, [], 'the trap was reached');
});
