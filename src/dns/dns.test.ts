import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { test } from 'node:test';
import type { Answer } from 'dns-packet';
import packet from 'dns-packet';
import fc from 'fast-check';
import { type SmallAnswer, startSmallNameServer } from '../../test/fixtures/small-name-server.ts';
import { Fault } from '../base/index.ts';
import { ask, type CaaRecord, createDnsClient, createDnsViews, judgeCaa, parseServerAddress } from './index.ts';
import { decodeReply, encodeQuestion } from './message.ts';

const signal = AbortSignal.timeout(20_000);
const a = (name: string, data: string): Answer => ({ type: 'A', name, data, ttl: 1 });
const cname = (name: string, data: string): Answer => ({ type: 'CNAME', name, data, ttl: 1 });
const ns = (name: string, data: string): Answer => ({ type: 'NS', name, data, ttl: 1 });
const txt = (name: string, data: string): Answer => ({ type: 'TXT', name, data, ttl: 1 });
const soa = (name: string): Answer => ({
  type: 'SOA',
  name,
  ttl: 1,
  data: { mname: `ns.${name}`, rname: `h.${name}` },
});

/** A zone at 127.0.0.1 that is its own name server. */
const zone =
  (records: Answer[], name = 'shop.test') =>
  (question: { type: string; name: string }): SmallAnswer => {
    const all = [soa(name), ns(name, `ns.${name}`), a(`ns.${name}`, '127.0.0.1'), ...records];
    const answers = all.filter(
      (one) => one.name === question.name && (one.type === question.type || one.type === 'CNAME'),
    );
    const alias = answers.find((one) => one.type === 'CNAME');
    if (alias?.type === 'CNAME') answers.push(...all.filter((o) => o.name === alias.data && o.type === question.type));
    if (answers.length > 0) return { answers };
    const exists = all.some((one) => one.name === question.name || one.name.endsWith(`.${question.name}`));
    return { ...(exists ? {} : { rcode: 'NXDOMAIN' }), authorities: [soa(name)] };
  };

test('an answer that is cut off is asked for again by TCP', async (t) => {
  const long = 'x'.repeat(200);
  const server = await startSmallNameServer(t, ({ name }) => ({ truncated: true, answers: [txt(name, long)] }));
  const question = { name: 'shop.test', type: 'TXT', recurse: true } as const;
  const reply = await ask(parseServerAddress(server.address), question, signal);
  assert.equal(reply.answers[0]?.data, long);
  assert.deepEqual(server.asked, ['TXT shop.test', 'TXT shop.test tcp']);
});

test('questions go over HTTPS as RFC 8484 says, and never stand in a URL', async (t) => {
  const seen: string[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const query = packet.decode(Buffer.concat(chunks));
      seen.push(`${request.method} ${request.url} ${request.headers['content-type']}`);
      response.setHeader('content-type', 'application/dns-message');
      const answers = [a(query.questions![0]!.name, '192.0.2.1')];
      response.end(packet.encode({ type: 'response', id: query.id, questions: query.questions, answers }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const url = `http://127.0.0.1:${(server.address() as { port: number }).port}/dns-query`;
  const reply = await ask({ kind: 'https', url }, { name: 'shop.test', type: 'A', recurse: true }, signal);
  assert.deepEqual(reply.answers, [{ type: 'A', name: 'shop.test', data: '192.0.2.1' }]);
  assert.deepEqual(seen, ['POST /dns-query application/dns-message']);
});

test('who does not answer is named, with the reason', async (t) => {
  const server = await startSmallNameServer(t, () => ({ silent: true }));
  const question = { name: 'shop.test', type: 'A', recurse: true } as const;
  await assert.rejects(ask(parseServerAddress(server.address), question, signal), (error: Fault) => {
    assert.equal(error.message, `${server.address} did not answer A shop.test: timeout`);
    return error.code === 'dns_unanswered' && error.details.party === 'dns';
  });
});

test('bytes from strangers are read or dropped, and never thrown at the caller', () => {
  const question = { name: 'shop.test', type: 'A', recurse: true } as const;
  const { id, message } = encodeQuestion(question);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600 }), fc.boolean(), (noise, lookAlike) => {
      const bytes = Buffer.from(noise);
      if (lookAlike && bytes.length > message.length) {
        message.copy(bytes);
        bytes[2] = 0x84;
      }
      decodeReply(bytes, id, question);
    }),
  );
  const other = packet.encode({ type: 'response', id, questions: [{ type: 'A', name: 'other.test' }] });
  assert.equal(decodeReply(other, id, question), undefined);
});

test('the zone of a name is found at its cut, and its servers with it', async (t) => {
  const server = await startSmallNameServer(t, zone([a('www.shop.test', '192.0.2.1')]));
  const dns = createDnsClient({ system: [], resolvers: [server.address], nameServerPort: server.port });
  const { zone: found, servers } = await dns.authority('a.b.www.shop.test', signal);
  assert.equal(found, 'shop.test');
  assert.deepEqual(servers, [
    { name: 'ns.shop.test', address: { kind: 'plain', host: '127.0.0.1', port: server.port } },
  ]);
});

test('a resolver that answers SERVFAIL is told from the authoritative servers, found from the root', async (t) => {
  const authoritative = await startSmallNameServer(t, zone([a('www.shop.dev', '203.0.113.7')], 'shop.dev'));
  const { port } = authoritative;
  const root = await startSmallNameServer(t, () => ({
    authoritative: false,
    authorities: [ns('shop.dev', 'ns.shop.dev')],
    additionals: [a('ns.shop.dev', '127.0.0.1')],
  }));
  const internal = await startSmallNameServer(t, () => ({ rcode: 'SERVFAIL' }));
  const dns = createDnsClient({
    system: [],
    resolvers: [internal.address],
    roots: [root.address],
    nameServerPort: port,
  });
  const look = await createDnsViews(dns).look('www.shop.dev', signal);
  assert.equal(
    look.splitHorizon,
    `your resolver ${internal.address} answers SERVFAIL for www.shop.dev; the authoritative servers answer 203.0.113.7`,
  );
  assert.equal(look.dnssec, undefined);
  const lonely = createDnsClient({ system: [], resolvers: [internal.address] });
  await assert.rejects(lonely.authority('www.shop.dev', signal), (error: Fault) => {
    assert.match(error.message, /could not find the zone of www\.shop\.dev: SOA .* SERVFAIL/);
    assert.match(error.details.advice!, /GATEHOUSE_ACME_DNS_RESOLVERS=1\.1\.1\.1:53,1\.0\.0\.1:53/);
    return true;
  });
});

test('names that only this network can know are never asked at the root', async (t) => {
  const root = await startSmallNameServer(t, () => ({}));
  const internal = await startSmallNameServer(t, () => ({ rcode: 'SERVFAIL' }));
  const dns = createDnsClient({ system: [], resolvers: [internal.address], roots: [root.address] });
  await assert.rejects(dns.authority('www.shop.test', signal));
  assert.deepEqual(root.asked, []);
});

test('DNSSEC is broken where a resolver answers only when told not to check', async (t) => {
  const answer = zone([a('www.shop.test', '192.0.2.1')]);
  const validating = await startSmallNameServer(t, (question) =>
    question.checked && question.name === 'www.shop.test' ? { rcode: 'SERVFAIL' } : answer(question),
  );
  const dns = createDnsClient({ system: [], resolvers: [validating.address], nameServerPort: validating.port });
  assert.equal((await createDnsViews(dns).look('www.shop.test', signal)).dnssec, 'broken');
});

test('each party is asked for addresses, aliases and CAA', async (t) => {
  const caa: Answer = { type: 'CAA', name: 'shop.test', ttl: 1, data: { flags: 0, tag: 'issue', value: 'ca.test' } };
  const records = [
    cname('www.shop.test', 'edge.shop.test'),
    a('edge.shop.test', '192.0.2.9'),
    caa,
    txt('p.shop.test', 'v'),
  ];
  const server = await startSmallNameServer(t, zone(records));
  const dns = createDnsClient({ system: [], resolvers: [server.address], nameServerPort: server.port });
  const views = createDnsViews(dns);
  const { answers, caa: found } = await views.look('www.shop.test', signal);
  const seen = answers.filter(({ view }) => view !== 'system');
  assert.deepEqual(seen, [
    { view: 'resolver', server: server.address, addresses: ['192.0.2.9'], cname: ['edge.shop.test'] },
    {
      view: 'authoritative',
      server: `ns.shop.test:${server.port}`,
      addresses: ['192.0.2.9'],
      cname: ['edge.shop.test'],
    },
  ]);
  assert.deepEqual(found.records, ['shop.test. CAA 0 issue "ca.test"']);
  assert.deepEqual(await views.txt('p.shop.test', signal), ['v']);
});

const caaOf = (...records: [tag: string, value: string, critical?: boolean][]): CaaRecord[] =>
  records.map(([tag, data, critical = false]) => ({ type: 'CAA', name: 'shop.test', tag, data, critical }));

test('CAA is judged as RFC 8659 and RFC 8657 say', () => {
  const ca = { caNames: ['letsencrypt.org'], wildcard: false, accountUri: 'https://ca/acct/1', methods: ['dns-01'] };
  const verdict = (records: CaaRecord[], more = {}) => judgeCaa(records, { ...ca, ...more });
  assert.ok(verdict([]).allowed);
  assert.ok(verdict(caaOf(['iodef', 'mailto:x@shop.test'])).allowed);
  assert.ok(verdict(caaOf(['issue', 'letsencrypt.org; validationmethods=http-01,dns-01'])).allowed);
  assert.ok(verdict(caaOf(['issue', 'LetsEncrypt.org; accounturi=https://ca/acct/1'])).allowed);
  assert.ok(verdict(caaOf(['issue', 'other.example'], ['issuewild', 'letsencrypt.org']), { wildcard: true }).allowed);
  const refusals: [CaaRecord[], RegExp, object?][] = [
    [caaOf(['issue', ';']), /forbids every CA/],
    [caaOf(['issue', 'other.example']), /allows only other\.example, and not letsencrypt\.org/],
    [caaOf(['issue', 'letsencrypt.org; accounturi=https://ca/acct/2']), /binds issuance to the account/],
    [caaOf(['issue', 'letsencrypt.org; validationmethods=http-01']), /only the method http-01/],
    [caaOf(['future', 'x', true]), /critical CAA property future/],
    [caaOf(['issue', 'letsencrypt.org'], ['issuewild', ';']), /issuewild ";" forbids/, { wildcard: true }],
  ];
  for (const [records, why, more] of refusals) {
    const found = verdict(records, more);
    assert.ok(!found.allowed);
    assert.match(found.why, why);
  }
});

test('a resolver is written as an address or an HTTPS URL', () => {
  assert.deepEqual(parseServerAddress('[2001:db8::1]:5353'), { kind: 'plain', host: '2001:db8::1', port: 5353 });
  assert.deepEqual(parseServerAddress('192.0.2.1'), { kind: 'plain', host: '192.0.2.1', port: 53 });
  for (const wrong of ['dns.example', '192.0.2.1:0', 'http://dns.example/', '1.2.3', '::1:99999'])
    assert.throws(() => parseServerAddress(wrong), Fault);
});
