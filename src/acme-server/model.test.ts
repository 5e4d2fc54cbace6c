import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import { BalancedAcme, createTickingClock, type Replica, startReplica } from '../../test/fixtures/acme-replicas.ts';
import { seeded } from '../../test/fixtures/properties.ts';
import { boundAccount, type RawAcme, type RawKey, rawJws, rawKey } from '../../test/fixtures/raw-acme.ts';
import { ariCertificateId } from '../acme/index.ts';
import { createVirtualClock, type VirtualClock } from '../base/index.ts';
import { openMemoryStore, type Store } from '../store/index.ts';
import { createCertificationRequest, parseCertificate, parsePem } from '../x509/index.ts';
import { collectGarbage } from './collection.ts';

// What a client may do at any moment, in any order, at either of two replicas, with any of the three accounts (the third
// is trusted, by an EAB key) and of its orders so far.
const ACTIONS = {
  order: 4,
  'order in the place of another': 2,
  respond: 5,
  'deactivate authorization': 1,
  finalize: 6,
  'finalize twice at once': 1,
  revoke: 2,
  "revoke another's": 1,
  'change key': 1,
  'deactivate account': 1,
  'revoke EAB key': 1,
  replay: 1,
  collect: 1,
  wait: 2,
} as const;
type Action = keyof typeof ACTIONS;
interface Step {
  readonly do: Action;
  readonly who: number;
  readonly which: number;
  readonly names: number;
  readonly good: boolean;
  readonly hours: number;
}
const step: fc.Arbitrary<Step> = fc.record({
  do: fc.oneof(
    ...Object.entries(ACTIONS).map(([action, weight]) => ({ weight, arbitrary: fc.constant(action as Action) })),
  ),
  who: fc.nat(2),
  which: fc.nat(3),
  names: fc.nat(2),
  good: fc.boolean(),
  hours: fc.constantFrom(1, 12, 25, 200, 800),
});

const NAMES = [['a.localhost'], ['b.localhost'], ['a.localhost', 'b.localhost']];
const TRUSTED = 2;
const FINAL = ['valid', 'invalid'];
const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
const type = ({ json }: { json: { type?: string } }) => json?.type?.split(':').at(-1);

interface Order {
  readonly url: string;
  readonly object: { authorizations: string[]; finalize: string };
  readonly names: string[];
  readonly replaces?: string;
  last: string;
}
interface Certificate {
  readonly der: Buffer;
  readonly id: string;
  readonly names: string[];
  revoked: boolean;
}
interface Party {
  client: RawAcme;
  orders: Order[];
  certificates: Certificate[];
}
interface World {
  readonly clock: VirtualClock;
  readonly running: { tick(): void };
  readonly store: Store;
  readonly replicas: readonly Replica[];
  readonly answers: Map<string, string>;
  readonly parties: Party[];
  /** Every order that was made, also of accounts that are gone. */
  readonly replacing: Map<string, Order[]>;
  eabKey: string;
  trustEnded: boolean;
}

async function newcomer(world: World, who: number): Promise<Party> {
  const client = await new BalancedAcme(world.replicas).start();
  if (who === TRUSTED) {
    const settings = { auth_mode: 'trust_authenticated', names: { allow: ['*.localhost'] } };
    const made = await world.replicas[0]!.acme.administration.createEabKey('default', settings, 'test');
    world.eabKey = made.id;
    world.trustEnded = false;
    assert.equal((await client.register(boundAccount(client, made))).status, 201);
  } else await client.register();
  return { client, orders: [], certificates: [] };
}

async function makeOrder(world: World, { client, orders }: Party, names: string[], replaces?: string): Promise<void> {
  const made = await client.order(names, replaces === undefined ? {} : { replaces });
  if (made.status !== 201) return;
  const order: Order = { url: made.headers.location!, object: made.json, names, last: made.json.status, replaces };
  orders.push(order);
  if (replaces !== undefined) world.replacing.set(replaces, [...(world.replacing.get(replaces) ?? []), order]);
}

async function finalizeOrder(world: World, party: Party, who: number, order: Order): Promise<void> {
  const { client } = party;
  const statuses: string[] = [];
  for (const url of order.object.authorizations) statuses.push((await client.post(url, '')).json.status);
  const csr = createCertificationRequest(order.names, key).toString('base64url');
  const done = await client.post(order.object.finalize, { csr });
  if (done.json.status === 'valid' && order.last !== 'valid') {
    const all = order.names.map(() => 'valid');
    assert.deepEqual(statuses, all, 'a certificate without valid authorizations');
    assert.ok(who !== TRUSTED || !world.trustEnded, 'a certificate on trust that had ended');
    const [leaf] = parsePem('CERTIFICATE', (await client.post(done.json.certificate, '')).text);
    const { authorityKeyIdentifier, serial, notAfter } = parseCertificate(leaf!);
    assert.ok(notAfter > world.clock.now(), 'a certificate that has ended');
    const id = ariCertificateId(authorityKeyIdentifier!, serial);
    party.certificates.push({ der: leaf!, id, names: order.names, revoked: false });
  }
  // Another account's order and authorization are nobody else's.
  const stranger = world.parties[(who + 1) % 3]!.client;
  assert.equal((await stranger.post(order.url, '')).status, 404);
  assert.equal((await stranger.post(order.object.authorizations[0]!, '')).status, 404);
}

/** Revokes as one party what another one has; answers whether that was done. */
async function revoke(world: World, by: Party, certificate: Certificate): Promise<boolean> {
  const payload = { certificate: certificate.der.toString('base64url'), reason: 4 };
  const answer = await by.client.post(by.client.directory.revokeCert!, payload);
  if (parseCertificate(certificate.der).notAfter < world.clock.now()) assert.notEqual(answer.status, 200);
  if (answer.status !== 200) return false;
  assert.equal(certificate.revoked, false, 'a certificate was revoked twice');
  certificate.revoked = true;
  assert.equal(type(await by.client.post(by.client.directory.revokeCert!, payload)), 'alreadyRevoked');
  return true;
}

async function deactivate(world: World, who: number): Promise<void> {
  const party = world.parties[who]!;
  const { client, orders } = party;
  assert.equal((await client.post(client.kid!, { status: 'deactivated' })).status, 200);
  assert.equal(type(await client.post(client.kid!, '')), 'unauthorized');
  for (const order of orders) {
    const csr = createCertificationRequest(order.names, key).toString('base64url');
    assert.equal(type(await client.post(order.object.finalize, { csr })), 'unauthorized', 'a dead account is heard');
  }
  world.parties[who] = await newcomer(world, who);
}

type Doing = (world: World, step: Step, party: Party, order: Order | undefined) => Promise<unknown>;
const DO: Record<Action, Doing> = {
  order: (world, { names }, party) => makeOrder(world, party, NAMES[names]!),
  async 'order in the place of another'(world, { which, who }, party) {
    // Its own, or (which the server must refuse) another's.
    const certificate = (which === 3 ? world.parties[(who + 1) % 3]! : party).certificates.at(-1);
    if (certificate === undefined) return;
    const before = party.orders.length;
    await makeOrder(world, party, certificate.names, certificate.id);
    if (which === 3) assert.equal(party.orders.length, before, "another's certificate was replaced");
  },
  async respond(world, { which, good }, { client }, order) {
    const { authorizations } = order?.object ?? { authorizations: [] };
    const url = authorizations[which % authorizations.length];
    if (url === undefined) return;
    const { challenges } = (await client.post(url, '')).json as {
      challenges: { type: string; url: string; token: string }[];
    };
    const challenge = challenges.find((one) => one.type === 'http-01')!;
    if (good) world.answers.set(challenge.token, client.keyAuthorization(challenge.token));
    await client.post(challenge.url, {});
    for (const { acme } of world.replicas) await acme.idle();
  },
  'deactivate authorization': async (_, __, { client }, order) =>
    order && client.post(order.object.authorizations[0]!, { status: 'deactivated' }),
  finalize: async (world, { who }, party, order) => order && finalizeOrder(world, party, who, order),
  'finalize twice at once': async (_, __, { client }, order) => order && finalizeTwice(client, order),
  async revoke(world, { which }, party) {
    const certificate = party.certificates[which];
    if (certificate === undefined || certificate.revoked) return;
    const alive = parseCertificate(certificate.der).notAfter >= world.clock.now();
    assert.equal(await revoke(world, party, certificate), alive);
  },
  async "revoke another's"(world, { who, which }, party) {
    const certificate = world.parties[(who + 1) % 3]!.certificates[which];
    if (certificate === undefined) return;
    const held = await holdsAll(world, party, certificate.names);
    const done = await revoke(world, party, certificate);
    if (who !== TRUSTED) assert.ok(!done || held, 'revoked without authority over the names');
    else assert.ok(!done || !world.trustEnded, 'revoked on trust that had ended');
  },
  'change key': (_, __, { client }) => changeKey(client),
  'deactivate account': (world, { who }) => deactivate(world, who),
  async 'revoke EAB key'(world) {
    await world.replicas[1]!.acme.administration.revokeEabKey('default', world.eabKey, 'test');
    world.trustEnded = true;
    assert.equal(type(await world.parties[TRUSTED]!.client.order(NAMES[0]!)), 'unauthorized');
  },
  replay: (_, __, { client }) => replay(client),
  collect: (world) => collectGarbage(world),
  async wait({ clock, running, store }, { hours }) {
    await clock.advance(hours * 3_600_000);
    running.tick();
    await new Promise((resolve) => setImmediate(resolve));
    await store.write(async () => {});
  },
};

/** Whether the account of the party holds a valid authorization for each name now, as the store has it. */
async function holdsAll({ store, clock }: World, { client }: Party, names: string[]): Promise<boolean> {
  const rows = await store.db
    .selectFrom('acme_authorization')
    .select('identifier')
    .where('account_id', '=', client.kid!.split('/').at(-1)!)
    .where('state', '=', 'valid')
    .where('expires_at', '>', clock.now())
    .execute();
  return names.every((name) => rows.some(({ identifier }) => identifier === `dns:${name}`));
}

async function checkStates({ parties, replacing }: World): Promise<void> {
  for (const { client, orders } of parties)
    for (const order of orders) {
      const { status, json } = await client.post(order.url, '');
      // Long after its end an order is collected.
      const now = status === 404 ? 'invalid' : (json.status as string);
      if (FINAL.includes(order.last) && status !== 404) assert.equal(now, order.last, 'a final state was left');
      order.last = now;
    }
  for (const orders of replacing.values())
    assert.ok(orders.filter(({ last }) => last === 'valid').length <= 1, 'a certificate was replaced twice');
}

test('whatever clients do in whatever order at whichever replica: no certificate without living authorizations, no way back from a final state', async (t) => {
  const answers = new Map<string, string>();
  const web = createServer((request, response) =>
    response.end(answers.get(request.url!.split('/').at(-1)!) ?? 'wrong'),
  );
  await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve));
  t.after(() => web.close());
  const validation = {
    http_port: (web.address() as AddressInfo).port,
    allowed_cidrs: ['127.0.0.0/8', '::1/128'],
  };
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 30 }), async (steps) => {
      const store = await openMemoryStore();
      const clock = createVirtualClock();
      const running = createTickingClock(clock);
      const replicas = [await startReplica(store, running)];
      // Orders outlive their authorizations, since they last longer than what is over is kept.
      const profile = { id: 'default', default: true, order_ttl_seconds: 60 * 86_400, validation };
      const limits = { accounts_per_address: { count: 1000 } };
      await replicas[0]!.acme.administration.createProfile({ ...profile, limits }, 'test');
      replicas.push(await startReplica(store, running));
      const parties: Party[] = [];
      const world: World = {
        ...{ clock, running, store, replicas, answers, parties, eabKey: '', trustEnded: false },
        replacing: new Map(),
      };
      try {
        for (const who of [0, 1, TRUSTED]) parties.push(await newcomer(world, who));
        for (const action of steps) {
          const party = parties[action.who]!;
          await DO[action.do](world, action, party, party.orders[action.which]);
          await checkStates(world);
        }
        const issued = await store.db.selectFrom('ca_certificate').select('order_id').execute();
        const ids = issued.flatMap(({ order_id }) => order_id ?? []);
        assert.equal(new Set(ids).size, ids.length, 'an order gave two certificates');
      } finally {
        for (const replica of replicas) await replica.stop();
        for (const { client } of parties) client.close();
        await store.close();
      }
    }),
    seeded(t, Number(process.env.MODEL_RUNS ?? 12)),
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
  for (let replica = 0; replica < 2; replica++) {
    const again = await client.post(client.kid!, '', { nonce });
    assert.match(again.json.type, /badNonce$/, 'a nonce was good twice');
  }
}

async function finalizeTwice(client: RawAcme, order: Order): Promise<void> {
  const csr = createCertificationRequest(order.names, key).toString('base64url');
  const nonces: string[] = [];
  for (let n = 0; n < 2; n++) {
    await client.send('HEAD', client.directory.newNonce!);
    nonces.push(client.nonce);
  }
  const done = await Promise.all(nonces.map((nonce) => client.post(order.object.finalize, { csr }, { nonce })));
  assert.ok(done.filter(({ status }) => status === 200).length <= 1, 'an order was finalized twice');
}
