import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import { startAcmeServer } from '../../test/fixtures/acme-server.ts';
import { RawAcme } from '../../test/fixtures/raw-acme.ts';
import { createVirtualClock } from '../base/index.ts';
import { createCertificationRequest } from '../x509/index.ts';

// What a client may do at any moment, in any order, with any of its two accounts and of its orders so far.
type Step =
  | { do: 'order'; who: number; names: number }
  | { do: 'respond'; who: number; which: number; good: boolean }
  | { do: 'deactivate authorization'; who: number; which: number }
  | { do: 'finalize'; who: number; which: number }
  | { do: 'wait'; hours: number };

const NAMES = [['a.localhost'], ['b.localhost'], ['a.localhost', 'b.localhost']];
const who = fc.nat(1);
const which = fc.nat(3);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('order' as const), who, names: fc.nat(2) }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('respond' as const), who, which, good: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('deactivate authorization' as const), who, which }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('finalize' as const), who, which }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('wait' as const), hours: fc.constantFrom(1, 12, 25, 200) }) },
);
const FINAL = ['valid', 'invalid'];
const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;

test('whatever clients do in whatever order: no certificate without living authorizations, no way back from a final state', async (t) => {
  const answers = new Map<string, string>();
  const web = createServer((request, response) =>
    response.end(answers.get(request.url!.split('/').at(-1)!) ?? 'wrong'),
  );
  await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve));
  t.after(() => web.close());
  const http_port = (web.address() as AddressInfo).port;

  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25 }), async (steps) => {
      const cleanups: (() => unknown)[] = [];
      const clock = createVirtualClock();
      const { directoryUrl, acme } = await startAcmeServer(
        { after: (cleanup) => void cleanups.push(cleanup as () => unknown) },
        { plain: true, clock, profile: { validation: { http_port, allowed_cidrs: ['127.0.0.0/8', '::1/128'] } } },
      );
      try {
        const clients = [await new RawAcme(directoryUrl).start(), await new RawAcme(directoryUrl).start()];
        for (const client of clients) await client.register();
        const orders: {
          url: string;
          object: { authorizations: string[]; finalize: string };
          names: string[];
          last: string;
        }[][] = [[], []];

        const look = async (index: number) => {
          for (const order of orders[index]!) {
            const { status } = (await clients[index]!.post(order.url, '')).json as { status: string };
            if (FINAL.includes(order.last)) assert.equal(status, order.last, 'a final state was left');
            order.last = status;
          }
        };
        for (const action of steps) {
          if (action.do === 'wait') await clock.advance(action.hours * 3_600_000);
          else if (action.do === 'order') {
            const names = NAMES[action.names]!;
            const answer = await clients[action.who]!.order(names);
            if (answer.status === 201)
              orders[action.who]!.push({ url: answer.headers.location!, object: answer.json, names, last: 'pending' });
          } else {
            const client = clients[action.who]!;
            const order = orders[action.who]![action.which];
            if (order === undefined) continue;
            const [authorization = ''] = order.object.authorizations.slice(
              action.which % order.object.authorizations.length,
            );
            if (action.do === 'respond') {
              const { challenges } = (await client.post(authorization, '')).json as {
                challenges: { type: string; url: string; token: string }[];
              };
              const challenge = challenges.find(({ type }) => type === 'http-01')!;
              if (action.good) answers.set(challenge.token, client.keyAuthorization(challenge.token));
              await client.post(challenge.url, {});
              await acme.idle();
            } else if (action.do === 'deactivate authorization')
              await client.post(authorization, { status: 'deactivated' });
            else {
              const statuses: string[] = [];
              for (const url of order.object.authorizations) statuses.push((await client.post(url, '')).json.status);
              const done = await client.post(order.object.finalize, {
                csr: createCertificationRequest(order.names, key).toString('base64url'),
              });
              if (done.json.status === 'valid' && order.last !== 'valid')
                assert.deepEqual(
                  statuses,
                  order.names.map(() => 'valid'),
                  'a certificate without valid authorizations',
                );
              // Another account's certificate, order and authorization are nobody else's.
              const stranger = clients[1 - action.who]!;
              assert.equal((await stranger.post(order.url, '')).status, 404);
              assert.equal((await stranger.post(authorization, '')).status, 404);
            }
          }
          await look(0);
          await look(1);
        }
      } finally {
        for (const cleanup of cleanups.reverse()) await cleanup();
      }
    }),
    { numRuns: 12 },
  );
});
