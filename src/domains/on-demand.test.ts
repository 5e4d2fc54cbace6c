import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { createTestControl } from '../../test/fixtures/control.ts';
import { until } from '../../test/fixtures/until.ts';
import { createVirtualClock } from '../base/index.ts';
import { SYSTEM } from '../control/index.ts';
import { createAskHook } from './ask-hook.ts';
import type { OnDemandSettings } from './index.ts';

const SETTINGS: OnDemandSettings = { always: false, waitMs: 20_000, addressAnHour: 2, appAnHour: 3 };

async function platform(settings: Partial<OnDemandSettings> = {}) {
  const clock = createVirtualClock();
  const refused: string[] = [];
  const test = await createTestControl(clock, {
    onDemand: { ...SETTINGS, ...settings },
    refuseName: (name) => refused.push(name),
  });
  await test.control.apps.create(SYSTEM, { id: 'a', upstreams: ['http://127.0.0.1:3000'] });
  const add = (domain: string, on_demand = true) => test.control.domains.add(SYSTEM, 'a', { domain, on_demand });
  const get = (domain: string) => test.control.domains.get(SYSTEM, 'a', domain);
  const wished = async (domain: string) => (await get(domain)).certificate !== null;
  const settled = async (domain: string) =>
    until('decided', async () => (await wished(domain)) || refused.includes(domain));
  const visit = async (domain: string, address = '192.0.2.1') => {
    refused.length = 0;
    test.control.demand(domain, address);
    await settled(domain);
    return wished(domain);
  };
  return { ...test, clock, refused, add, get, wished, visit };
}

/** A hook that says yes to what is in `names`, or to everything. */
async function hookFor(t: TestContext, names: readonly string[] | 'all') {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const name = new URL(request.url!, 'http://hook').searchParams.get('domain')!;
    asked.push(name);
    response.writeHead(names === 'all' || names.includes(name) ? 200 : 404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  return { asked, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/may?from=edge` };
}

test('a name on demand waits for its first visitor, and only then is a certificate wanted', async () => {
  const { add, get, visit, wished } = await platform();
  const { domain } = await add('one.localhost');
  assert.equal(domain.on_demand, true);
  assert.match(domain.why.summary, /first visitor/);
  assert.equal(await wished('one.localhost'), false);
  assert.equal(await visit('one.localhost'), true);
  assert.equal((await get('one.localhost')).tls_status, 'pending');
});

test('who asks for what nobody claims gets nothing', async () => {
  const { control, refused } = await platform();
  control.demand('unknown.localhost', '192.0.2.1');
  await until('refused', async () => refused.length > 0);
  assert.deepEqual(refused, ['unknown.localhost']);
});

test('visitors of one address, and of one app, may ask for so many names in an hour', async () => {
  const { add, get, visit, clock } = await platform();
  for (const name of ['one', 'two', 'three', 'four', 'five']) await add(`${name}.localhost`);
  assert.equal(await visit('one.localhost'), true);
  assert.equal(await visit('two.localhost'), true);
  assert.equal(await visit('three.localhost'), false);
  assert.match((await get('three.localhost')).why.summary, /sent away: visitors of one address/);
  assert.equal(await visit('three.localhost', '192.0.2.2'), true);
  assert.equal(await visit('four.localhost', '192.0.2.3'), false);
  assert.match((await get('four.localhost')).why.summary, /sent away: visitors of the app/);
  clock.set(clock.now() + 3_600_000);
  assert.equal(await visit('four.localhost', '192.0.2.3'), true);
});

test('an ask hook decides, once it has refused a random name', async (t) => {
  const hook = await hookFor(t, ['good.localhost']);
  const { add, get, visit } = await platform({ ask: hook.url });
  await add('good.localhost');
  await add('bad.localhost');
  assert.equal(await visit('good.localhost'), true);
  assert.match(hook.asked[0]!, /^[0-9a-f]{20}\.com$/);
  assert.deepEqual(hook.asked.slice(1), ['good.localhost']);
  assert.equal(await visit('bad.localhost'), false);
  assert.match((await get('bad.localhost')).why.summary, /ask hook says no \(404\)/);
});

test('an ask hook that says yes to everything is believed in nothing', async (t) => {
  const hook = await hookFor(t, 'all');
  const { add, get, visit } = await platform({ ask: hook.url });
  await add('one.localhost');
  assert.equal(await visit('one.localhost'), false);
  assert.match((await get('one.localhost')).why.summary, /says yes to everything/);
  assert.equal(hook.asked.length, 1);
});

test('an ask hook is proven again every hour, and one that is away says no', async (t) => {
  const clock = createVirtualClock();
  const names: string[] = ['good.example'];
  const hook = await hookFor(t, names);
  const asks = createAskHook(hook.url, clock);
  assert.deepEqual(await asks.ask('good.example'), { wanted: true });
  assert.deepEqual(await asks.ask('good.example'), { wanted: true });
  assert.equal(hook.asked.length, 3);
  clock.set(clock.now() + 3_600_000);
  assert.deepEqual(await asks.ask('good.example'), { wanted: true });
  assert.equal(hook.asked.length, 5);
  const gone = await createAskHook('http://127.0.0.1:1/', clock).ask('good.example');
  assert.match(gone.wanted ? '' : gone.reason, /does not answer/);
});

test('a visitor of a name that waits for DNS has DNS looked at, at most every ten seconds', async () => {
  const { add, control, refused, store, clock } = await platform();
  await add('shop.example.com', false);
  const looks = async () =>
    (await store.db.selectFrom('domain').select('looks').where('name', '=', 'shop.example.com').executeTakeFirst())!
      .looks;
  const visit = async () => {
    refused.length = 0;
    control.demand('shop.example.com', '192.0.2.1');
    await until('refused', async () => refused.length > 0);
  };
  await visit();
  const first = await looks();
  await visit();
  assert.equal(await looks(), first);
  clock.set(clock.now() + 10_000);
  await visit();
  assert.equal(await looks(), first + 1);
});

test('a wildcard cannot wait for a visitor', async () => {
  const { control } = await platform();
  await assert.rejects(
    control.domains.add(SYSTEM, 'a', { domain: '*.shop.example.com', on_demand: true }),
    /wildcard|DNS credential/,
  );
});
