import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import { startAcmeServer } from '../../test/fixtures/acme-server.ts';
import { RawAcme, type RawKey, rawJws, rawKey } from '../../test/fixtures/raw-acme.ts';
import { createVirtualClock } from '../base/index.ts';
import { createCertificationRequest } from '../x509/index.ts';
import { collectGarbage } from './collection.ts';

// What a client may do at any moment, in any order, with any of its two accounts and of its orders so far.
type Step =
  | { do: 'order'; who: number; names: number }
  | { do: 'respond'; who: number; which: number; good: boolean }
  | { do: 'deactivate authorization'; who: number; which: number }
  | { do: 'finalize'; who: number; which: number }
  | { do: 'finalize twice at once'; who: number; which: number }
  | { do: 'change key'; who: number }
  | { do: 'replay'; who: number }
  | { do: 'collect' }
  | { do: 'wait'; hours: number };

const NAMES = [['a.localhost'], ['b.localhost'], ['a.localhost', 'b.localhost']];
const who = fc.nat(1);
const which = fc.nat(3);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('order' as const), who, names: fc.nat(2) }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('respond' as const), who, which, good: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('deactivate authorization' as const), who, which }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('finalize' as const), who, which }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('finalize twice at once' as const), who, which }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('change key' as const), who }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('replay' as const), who }) },
  { weight: 1, arbitrary: fc.constant({ do: 'collect' as const }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('wait' as const), hours: fc.constantFrom(1, 12, 25, 200, 800) }),
  },
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
      const { directoryUrl, acme, store } = await startAcmeServer(
        { after: (cleanup) => void cleanups.push(cleanup as () => unknown) },
        {
          plain: true,
          clock,
          profile: {
            // Longer than what is over is kept, so that orders outlive their authorizations.
            order_ttl_seconds: 60 * 86_400,
            validation: { http_port, allowed_cidrs: ['127.0.0.0/8', '::1/128'] },
          },
        },
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
          else if (action.do === 'collect') await collectGarbage({ store, clock });
          else if (action.do === 'change key') await changeKey(clients[action.who]!);
          else if (action.do === 'replay') await replay(clients[action.who]!);
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
            else if (action.do === 'finalize twice at once') await finalizeTwice(client, order);
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
        const issued = await store.db.selectFrom('ca_certificate').select('order_id').execute();
        const ids = issued.flatMap(({ order_id }) => order_id ?? []);
        assert.equal(new Set(ids).size, ids.length, 'an order gave two certificates');
      } finally {
        for (const cleanup of cleanups.reverse()) await cleanup();
      }
    }),
    { numRuns: Number(process.env.MODEL_RUNS ?? 12) },
  );
});

/** RFC 8555 §7.3.5; afterwards the old key is nobody's. */
async function changeKey(client: RawAcme): Promise<void> {
  const [old, next] = [client.key, rawKey()];
  const url = client.directory.keyChange!;
  const claim = { account: client.kid, oldKey: old.jwk };
  const changed = await client.post(url, rawJws(next, { alg: next.alg, jwk: next.jwk, url }, claim));
  // Five in an hour, and no more.
  if (changed.status === 429) return;
  assert.equal(changed.status, 200, changed.text);
  assert.equal((await client.post(client.kid!, '')).status, 400, 'the old key still signs');
  (client as { key: RawKey }).key = next;
}

async function replay(client: RawAcme): Promise<void> {
  await client.send('HEAD', client.directory.newNonce!);
  const { nonce } = client;
  assert.equal((await client.post(client.kid!, '')).status, 200);
  const again = await client.post(client.kid!, '', { nonce });
  assert.match(again.json.type, /badNonce$/, 'a nonce was good twice');
}

async function finalizeTwice(client: RawAcme, order: { object: { finalize: string }; names: string[] }): Promise<void> {
  const csr = createCertificationRequest(order.names, key).toString('base64url');
  const nonces: string[] = [];
  for (let n = 0; n < 2; n++) {
    await client.send('HEAD', client.directory.newNonce!);
    nonces.push(client.nonce);
  }
  const done = await Promise.all(nonces.map((nonce) => client.post(order.object.finalize, { csr }, { nonce })));
  assert.ok(done.filter(({ status }) => status === 200).length <= 1, 'an order was finalized twice');
}
