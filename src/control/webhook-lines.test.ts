import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type TestContext, test } from 'node:test';
import { createTestControl } from '../../test/fixtures/control.ts';
import { createVirtualClock } from '../base/index.ts';
import { headDelivery, insertDelivery } from '../store/webhooks.ts';
import { SYSTEM } from './index.ts';

const SECOND = 1_000;
const HOUR = 3_600 * SECOND;

/** Whose answers the test chooses; undefined: none at all. */
async function startReceiver(t: TestContext) {
  const receiver = { status: 204 as number | undefined, tried: [] as string[], url: '' };
  const server = createServer((request, response) => {
    receiver.tried.push(String(request.headers['webhook-id']));
    if (receiver.status !== undefined) response.writeHead(receiver.status).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  receiver.url = `http://127.0.0.1:${(server.address() as { port: number }).port}/`;
  return receiver;
}

async function startWorld() {
  const virtual = createVirtualClock();
  let sent = 0;
  const clock = {
    ...virtual,
    // Each attempt has ten seconds.
    sleep(ms: number, signal?: AbortSignal) {
      if (ms === 10 * SECOND) sent++;
      return virtual.sleep(ms, signal);
    },
  };
  const { store, control } = await createTestControl(clock);
  const head = (webhook: string) => headDelivery(store.db, webhook);
  return {
    clock,
    store,
    control,
    head,
    queue: (webhook: string, id: string, at: number) =>
      store.write((tx) =>
        insertDelivery(tx, { id, webhook_id: webhook, body: '{}', attempts: 0, next_at: at, created_at: at }),
      ),
    /** Lets what is under way go on while no time passes. */
    async until(met: () => boolean | Promise<boolean>) {
      while (!(await met())) await clock.advance(0);
    },
    /** Goes to when the oldest delivery is due, and until it was begun. */
    async begin(webhook: string) {
      const before = sent;
      const due = (await head(webhook))!.next_at!;
      if (due > clock.now()) clock.set(due);
      while (sent === before) await clock.advance(SECOND / 2);
    },
  };
}

test('a receiver that answers nothing holds up its own line and no other; each line keeps its order', async (t) => {
  const { clock, control, head, queue, until, begin } = await startWorld();
  const [dead, good] = [await startReceiver(t), await startReceiver(t)];
  dead.status = undefined;
  const { id: deadHook } = await control.webhooks.create(SYSTEM, { url: dead.url });
  const { id: goodHook } = await control.webhooks.create(SYSTEM, { url: good.url });
  const start = clock.now();
  const ids = Array.from({ length: 20 }, (_, i) => `msg_${String(i).padStart(2, '0')}`);
  for (const id of ids) await queue(deadHook, `${id}dead`, start - 2);
  for (const id of ids) await queue(goodHook, `${id}good`, start - 1);
  control.start();
  await until(() => good.tried.length === ids.length && dead.tried.length === 1);
  assert.equal(clock.now(), start, 'the good one has all of it before any time has passed');
  assert.deepEqual(
    good.tried,
    ids.map((id) => `${id}good`),
  );
  for (const [index, pause] of [5, 20, 80].entries()) {
    if (index > 0) await begin(deadHook);
    await until(() => dead.tried.length === index + 1);
    await clock.advance(10 * SECOND);
    await until(async () => (await head(deadHook))!.attempts === index + 1);
    assert.equal((await head(deadHook))!.next_at, clock.now() + pause * SECOND);
  }
  const hooks = await control.webhooks.list(SYSTEM);
  assert.deepEqual(
    [deadHook, goodHook].map((id) => hooks.find((hook) => hook.id === id)?.last_status),
    ['no answer within 10 s', 'answered 204'],
  );
  dead.status = 204;
  await begin(deadHook);
  await until(async () => (await head(deadHook)) === undefined);
  assert.deepEqual(
    dead.tried,
    ['msg_00', 'msg_00', 'msg_00', ...ids].map((id) => `${id}dead`),
  );
  await control.stop();
});

test('what a receiver did not take for a day is given up, and its pause goes on with the next', async (t) => {
  const { clock, control, head, queue, until, begin } = await startWorld();
  const receiver = await startReceiver(t);
  receiver.status = 500;
  const { id: webhook } = await control.webhooks.create(SYSTEM, { url: receiver.url });
  const start = clock.now();
  await queue(webhook, 'msg_1', start);
  await queue(webhook, 'msg_2', start + HOUR / 2);
  await queue(webhook, 'msg_3', start + 20 * HOUR);
  control.start();
  let attempts = 0;
  for (; (await head(webhook))!.id !== 'msg_3'; attempts++) {
    await begin(webhook);
    await until(async () => (await head(webhook))!.attempts === attempts + 1);
  }
  assert.ok(clock.now() - start >= 24 * HOUR && clock.now() - start < 26 * HOUR);
  assert.ok(receiver.tried.length > 20 && receiver.tried.length === attempts);
  const { next_at } = (await head(webhook))!;
  assert.ok(next_at! - clock.now() > HOUR - 10 * SECOND, 'it is tried in an hour, and not anew from five seconds');
  receiver.status = 204;
  await begin(webhook);
  await until(async () => (await head(webhook)) === undefined);
  assert.equal(receiver.tried.at(-1), 'msg_3');
  await control.stop();
});
