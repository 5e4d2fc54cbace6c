import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Fault, silentLogger } from '../../src/base/index.ts';
import { createDomainSource } from '../../src/publish/domain-source.ts';
import type { PublishTarget } from '../../src/publish/publish-target.ts';
import { createPublisher } from '../../src/publish/publisher.ts';
import { createServedCertificates } from '../../src/publish/served-certificates.ts';
import { listDeliveries } from '../../src/store/deliveries.ts';
import { latestChange } from '../../src/store/index.ts';
import { createPublishedWorld, type PublishedWorld } from '../fixtures/published-world.ts';

/** A place under test: how to open it (again, after a restart), and what is really there. */
export interface PlaceUnderTest {
  open(): Promise<PublishTarget> | PublishTarget;
  /** Host -> where its requests go. */
  routes(): Promise<Map<string, string>> | Map<string, string>;
  /** Certificate id -> PEM chain; undefined for a place that gets its own. */
  certificates?(): Promise<Map<string, string>> | Map<string, string>;
  /** False for a place that cannot send requests on to another name, and says so. */
  readonly redirects?: boolean;
  /** How often anything was written there. */
  writes(): number;
}

const publisherOf = (world: PublishedWorld, target: PublishTarget) =>
  createPublisher({
    store: world.store,
    sources: [createDomainSource(world.store.db)],
    certificates: createServedCertificates(world.store.db, world.secrets),
    target,
    clock: world.clock,
    log: silentLogger,
  });

/** Follows until everything noted so far has arrived. */
async function following(t: TestContext, world: PublishedWorld, target: PublishTarget) {
  const publisher = publisherOf(world, target);
  const abort = new AbortController();
  const running = publisher.run(abort.signal);
  const stop = async () => {
    abort.abort();
    await running;
  };
  t.after(stop);
  const settled = async () => {
    const wanted = await latestChange(world.store.db);
    while ((publisher.state().position ?? -1) < wanted) await new Promise((resolve) => setImmediate(resolve));
  };
  await settled();
  return { publisher, stop, settled };
}

/** What every publisher does, tried on one of them. */
export function publisherContract(name: string, placeFor: (t: TestContext) => Promise<PlaceUnderTest>): void {
  test(`${name}: a domain, its certificate, their changes and their end arrive`, async (t) => {
    const [world, place] = [await createPublishedWorld(t), await placeFor(t)];
    const app = await world.app('http://127.0.0.1:3000');
    const { settled } = await following(t, world, await place.open());
    const certificateId = await world.certificate('shop.example.com');
    const domain = await world.domain(app, 'shop.example.com', { certificate_id: certificateId });
    await settled();
    assert.match((await place.routes()).get('shop.example.com') ?? '', /127\.0\.0\.1:3000/);
    const first = (await place.certificates?.())?.get(certificateId);

    await world.setUpstreams(app, 'http://127.0.0.1:3001');
    await world.setStatus(certificateId, 'renewing');
    await settled();
    assert.match((await place.routes()).get('shop.example.com') ?? '', /127\.0\.0\.1:3001/);
    assert.equal((await place.certificates?.())?.get(certificateId), first);

    await world.renew(certificateId);
    await world.domain(app, 'www.example.com', { redirect_to: 'shop.example.com' });
    await settled();
    if (place.redirects !== false)
      assert.match((await place.routes()).get('www.example.com') ?? '', /shop\.example\.com/);
    if (place.certificates !== undefined) {
      assert.ok((await place.certificates()).get(certificateId));
      assert.notEqual((await place.certificates()).get(certificateId), first);
    }

    await world.revoke(certificateId);
    await world.removeDomain(domain);
    await settled();
    assert.deepEqual([...(await place.routes()).keys()], place.redirects === false ? [] : ['www.example.com']);
    if (place.certificates !== undefined) assert.equal((await place.certificates()).size, 0);
  });

  test(`${name}: a certificate for trying is there only while no other is wanted for a name of it`, async (t) => {
    const [world, place] = [await createPublishedWorld(t), await placeFor(t)];
    if (place.certificates === undefined) return;
    const { settled, publisher } = await following(t, world, await place.open());
    const held = async () => [...(await place.certificates!()).keys()].sort();
    const app = await world.app('http://127.0.0.1:3000');
    const trial = await world.stagingCertificate('shop.example.com', 'www.example.com');
    await world.domain(app, 'shop.example.com', { certificate_id: trial });
    await settled();
    assert.deepEqual(await held(), [trial]);
    // Wanted, and not there yet.
    const wanted = await world.wish('*.example.com');
    await settled();
    assert.deepEqual(await held(), []);
    await world.renew(wanted);
    await world.renew(trial);
    await world.domain(app, 'www.example.com', { certificate_id: wanted });
    await settled();
    assert.deepEqual(await held(), [wanted]);
    await publisher.reconcileAll();
    assert.deepEqual(await held(), [wanted]);
  });

  test(`${name}: a restart finds what changed meanwhile, and writes only that`, async (t) => {
    const [world, place] = [await createPublishedWorld(t), await placeFor(t)];
    const app = await world.app('http://127.0.0.1:3000');
    const kept = await world.certificate('kept.example.com');
    await world.domain(app, 'kept.example.com', { certificate_id: kept });
    const gone = await world.domain(app, 'gone.example.com');
    const goneCertificate = await world.certificate('gone.example.com');
    await publisherOf(world, await place.open()).reconcileAll();
    assert.deepEqual([...(await place.routes()).keys()].sort(), ['gone.example.com', 'kept.example.com']);

    await world.removeDomain(gone);
    await world.revoke(goneCertificate);
    await world.domain(app, 'new.example.com');
    await publisherOf(world, await place.open()).reconcileAll();
    assert.deepEqual([...(await place.routes()).keys()].sort(), ['kept.example.com', 'new.example.com']);
    if (place.certificates !== undefined) assert.deepEqual([...(await place.certificates()).keys()], [kept]);

    const writes = place.writes();
    await publisherOf(world, await place.open()).reconcileAll();
    assert.equal(place.writes(), writes);
  });

  test(`${name}: a place that cannot be reached is tried again, and every outcome is on record`, async (t) => {
    const [world, place] = [await createPublishedWorld(t), await placeFor(t)];
    const target = await place.open();
    let away = true;
    const unreliable: PublishTarget = {
      ...target,
      deliver(delivery) {
        if (!away) return target.deliver(delivery);
        throw new Fault({ code: 'away', detail: 'nobody there', party: 'network', retry: 'backoff' });
      },
    };
    const app = await world.app('http://127.0.0.1:3000');
    const domain = await world.domain(app, 'shop.example.com');
    const publisher = publisherOf(world, unreliable);
    await assert.rejects(publisher.reconcileAll(), /nobody there/);
    assert.equal(publisher.state().pending, 1);
    away = false;
    await publisher.reconcileAll();
    assert.deepEqual([publisher.state().pending, [...(await place.routes()).keys()]], [0, ['shop.example.com']]);
    const [row] = await listDeliveries(world.store.db, target.name, { limit: 10 });
    assert.deepEqual([row?.item, row?.delivered, row?.problem], [domain, target.holds(domain), null]);
  });
}
