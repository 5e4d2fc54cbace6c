import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import packet from 'dns-packet';
import fc from 'fast-check';
import { changedBytes, changedText, seeded } from '../../../test/fixtures/properties.ts';
import { startSmallNameServer } from '../../../test/fixtures/small-name-server.ts';
import { parseProfileSettings } from '../profile.ts';
import { Refusal } from '../refusal.ts';
import { judgeCaa } from './caa.ts';
import { createDnsClient } from './dns-client.ts';
import { whyNot } from './dns-persist-01.ts';
import { validateHttp01 } from './http-01.ts';
import { parseIssueValue } from './issue-value.ts';

const signal = AbortSignal.timeout(20_000);

const ACCOUNT = 'https://ca.test/acme/profile/default/account/acct_1';
const { validation: policy } = parseProfileSettings({ validation: { caa_identities: ['ca.test'] } });
const text = fc.string({ unit: 'binary', maxLength: 60 });

test('issue values of CAA and dns-persist-01 are read as they were written; a changed one gives nobody more', (t) => {
  const run = seeded(t, 400);
  const tag = fc.stringMatching(/^[a-zA-Z0-9]{1,12}$/);
  const value = fc.stringMatching(/^[!-:<-~]{0,20}$/);
  const space = fc.stringMatching(/^[ \t]{0,2}$/);
  const parameters = fc.uniqueArray(fc.tuple(tag, value), { selector: ([name]) => name.toLowerCase(), maxLength: 4 });
  fc.assert(
    fc.property(fc.domain(), parameters, space, (issuer, list, gap) => {
      const written = [issuer, ...list.map(([name, content]) => `${name}${gap}=${gap}${content}`)].join(
        `${gap};${gap}`,
      );
      assert.deepEqual(parseIssueValue(written), {
        issuer: issuer.toLowerCase(),
        parameters: new Map(list.map(([name, content]) => [name.toLowerCase(), content])),
      });
    }),
    run,
  );
  const record = `ca.test; accounturi=${ACCOUNT}`;
  const task = { policy, accountUrl: ACCOUNT, now: 0, covers: false };
  assert.equal(whyNot(record, task), undefined);
  const other = `${ACCOUNT}x` as string;
  const question = { wildcard: false, accountUrl: other, method: 'dns-01' as const, policy };
  fc.assert(
    fc.property(fc.oneof(changedText(record), text), fc.nat(255), (given, flags) => {
      if (whyNot(given, task) === undefined) {
        const found = parseIssueValue(given)!;
        assert.deepEqual([found.issuer, found.parameters.get('accounturi')], ['ca.test', ACCOUNT]);
      }
      const found = parseIssueValue(given);
      // Another account may issue only where the record names the CA and binds it to nobody, or to that one.
      if (judgeCaa([{ flags, tag: 'issue', value: given }], question) === undefined)
        assert.ok(found?.issuer === 'ca.test' && [undefined, other].includes(found.parameters.get('accounturi')));
      assert.equal(
        judgeCaa([{ flags: 0, tag: given, value: ';' }], question) !== undefined,
        given.toLowerCase() === 'issue',
      );
    }),
    run,
  );
  for (const wrong of [
    'ca.test\u00a0',
    'ca.test;\u00a0policy=x',
    '\nca.test',
    'ca.test; \u212aey=1',
    'ca.test; a=1; A=2',
  ])
    assert.equal(parseIssueValue(wrong), undefined, JSON.stringify(wrong));
});

test('whatever a web server redirects to, the outcome is a refusal', async (t) => {
  const names = await startSmallNameServer(t, () => ({}));
  let location = '';
  const server = createServer((_, response) => response.writeHead(302, { Location: location }).end());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const settings = { http_port: port, allowed_cidrs: ['127.0.0.0/8'], resolvers: [names.address] };
  const { validation } = parseProfileSettings({ validation: settings });
  const task = {
    ...({ type: 'http-01', identifier: { type: 'dns', value: 'a.localhost' }, wildcard: false } as const),
    ...{ token: 'token', thumbprint: 'thumbprint', accountUrl: ACCOUNT, policy: validation, now: 0 },
  };
  const at = (target: string) => {
    location = target;
    return validateHttp01(task, signal).then(
      () => assert.fail('valid'),
      (error: unknown) => {
        assert.ok(error instanceof Refusal && error.problem.status! < 500, String(error));
        return error.message;
      },
    );
  };
  // No digits but 0, so that no address of somebody else comes of it.
  const odd = fc.string({ unit: fc.constantFrom(...'a0.-_~:/?#[]@!%\\ xé'), maxLength: 30 });
  const start = fc.constantFrom('', '/', '//', 'http://', 'https://', 'http:', `http://a.localhost:${port}/`, 'data:');
  await fc.assert(
    fc.asyncProperty(start, odd, async (first, rest) => {
      await at(first + rest);
    }),
    seeded(t, 150),
  );
  for (const host of [`${'a'.repeat(64)}.example`, 'a..example', `${'a.'.repeat(127)}example`])
    assert.match(await at(`http://${host}/`), /no name that can be asked for/, host);
  const before = names.asked.length;
  assert.match(await at('http://absolute.example./'), /has no address/);
  assert.ok(names.asked.slice(before).includes('A absolute.example'), names.asked.join());
});

test('a resolver that sends anything before its answer is still heard, and its answer is read or refused', async (t) => {
  const socket = createSocket('udp4');
  let noise: (reply: Buffer) => Buffer[] = () => [];
  let data: packet.Answer = { type: 'TXT', name: 'shop.test', ttl: 1, data: 'yes' };
  socket.on('message', (message, { port, address }) => {
    const { id, questions } = packet.decode(message);
    const reply = packet.encode({ type: 'response', id, questions, answers: [data] });
    for (const bytes of [...noise(reply), reply]) socket.send(bytes, port, address);
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  t.after(() => socket.close());
  const client = createDnsClient([`127.0.0.1:${socket.address().port}`]);
  const ask = () => client.query('shop.test', 'TXT', signal);
  const run = seeded(t, 100);
  await fc.assert(
    fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 80 }), { maxLength: 4 }), async (list) => {
      // Another's question, and the right one under another id.
      const other = packet.encode({ type: 'response', questions: [{ type: 'TXT', name: 'other.test' }] });
      noise = (reply) => [
        ...list.map((bytes) => Buffer.from(bytes)),
        other,
        Buffer.concat([Buffer.of(~reply[0]! & 0xff), reply.subarray(1)]),
      ];
      assert.deepEqual(
        (await ask()).records.map((record) => 'data' in record && String(record.data)),
        ['yes'],
      );
    }),
    run,
  );
  const shape = packet.encode({
    type: 'response',
    id: 0,
    questions: [{ type: 'TXT', name: 'shop.test' }],
    answers: [data],
  });
  await fc.assert(
    fc.asyncProperty(changedBytes(shape.subarray(2)), async (rest) => {
      noise = (reply) => [Buffer.concat([reply.subarray(0, 2), rest])];
      const outcome = await ask().catch((error: unknown) => error);
      assert.ok(!(outcome instanceof Error) || outcome instanceof Refusal, String(outcome));
    }),
    run,
  );
  noise = () => [];
  data = { type: 'CNAME', name: 'shop.test', ttl: 1, data: '.' };
  await assert.rejects(ask(), { message: /"" is no name that can be asked for/ });
});
