import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { changesSince } from '../../src/store/index.ts';
import { startEngine, startEngineAtPebble, until } from '../fixtures/engine.ts';

const isValid = ({ status }: { status: string }) => status === 'valid';

test('a wish becomes a certificate, is renewed with a new key, revoked and replaced', async (t) => {
  const at = await startEngineAtPebble(t, {
    pebble: { nonceReject: 15, validationSleep: 1, authorizationReuse: 50 },
  });
  if (at === undefined) return;
  const { certificates } = at.engine;
  const wish = { names: ['shop.example.com', 'www.shop.example.com'], reference: 'domain:1' };
  const id = await certificates.ensure(wish);
  assert.equal(await certificates.ensure({ ...wish, names: wish.names.toReversed(), reference: 'domain:2' }), id);
  const first = await until(at, id, isValid);
  assert.deepEqual(first.references, ['domain:1', 'domain:2']);
  assert.ok(first.renewAt! > Date.now() && first.renewAt! < first.served!.notAfter);
  const leaf = new X509Certificate((await certificates.chain(id))!);
  assert.ok(leaf.checkHost('www.shop.example.com'));

  await certificates.renew(id);
  const second = await until(at, id, (view) => isValid(view) && view.served?.id !== first.served?.id);
  assert.equal((await certificates.versions(id)).length, 2);
  const renewed = new X509Certificate((await certificates.chain(id))!);
  assert.notEqual(renewed.publicKey.export({ format: 'jwk' }).x, leaf.publicKey.export({ format: 'jwk' }).x);

  await certificates.revoke(id, 'key-compromise', true);
  await until(at, id, (view) => isValid(view) && view.served?.id !== second.served?.id);
  assert.match((await at.pebble.manage(`cert-status-by-serial/${second.served!.serial}`)).text, /Revoked/);
  assert.match((await at.pebble.manage(`cert-status-by-serial/${first.served!.serial}`)).text, /Revoked/);

  const steps = (await certificates.events(id, 0, 1000)).map(({ step }) => step);
  for (const step of ['wished', 'attempt', 'order', 'finalize', 'issued', 'revoked'])
    assert.ok(steps.includes(step as 'order'), step);
  assert.ok((await changesSince(at.store.db, 0)).filter(({ kind }) => kind === 'certificate').length >= 4);
});

test('revoked without a replacement: nothing is served until somebody asks', async (t) => {
  const at = await startEngineAtPebble(t);
  if (at === undefined) return;
  const { certificates } = at.engine;
  const id = await certificates.ensure({ names: ['shop.example.com'], reference: 'domain:1' });
  const { served } = await until(at, id, isValid);
  await certificates.revoke(id, 'superseded', false);
  assert.equal(await certificates.chain(id), undefined);
  const told = async () => (await at.pebble.manage(`cert-status-by-serial/${served!.serial}`)).text.includes('Revoked');
  while (!(await told())) await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal((await certificates.get(id))?.status, 'revoked');
  await certificates.renew(id);
  await until(at, id, isValid);
});

test('a failure is told in words, and a person can say: now', async (t) => {
  const at = await startEngineAtPebble(t, { listen: [] });
  if (at === undefined) return;
  const { certificates } = at.engine;
  const id = await certificates.ensure({ names: ['shop.example.com'], reference: 'domain:1' });
  const failed = await until(at, id, ({ status }) => status === 'failed');
  assert.equal(failed.lastProblem?.class, 'reachability');
  assert.equal(failed.lastProblem?.party, 'network');
  assert.ok(failed.nextAttemptAt! > Date.now() + 60_000);
  assert.match(failed.summary, /There is none yet\. The last attempt failed \(reachability\)/);
  assert.equal(failed.attempts, 1);
  await certificates.renew(id);
  await until(at, id, ({ attempts, status }) => attempts === 2 && status === 'failed');
});

test('a process that dies in the middle: the next one goes on with the same order', async (t) => {
  const at = await startEngineAtPebble(t, { settings: { issuers: ['pebble'], leaseMs: 600 } });
  if (at === undefined) return;
  const id = await at.engine.certificates.ensure({ names: ['shop.example.com'], reference: 'domain:1' });
  // Killed as soon as the order is durable, with nothing given back: the row is left as a dead process leaves it.
  const read = () => at.store.db.selectFrom('certificate').selectAll().executeTakeFirstOrThrow();
  let row = await read();
  while (!(row.open_order ?? '').includes('"url"') && row.status !== 'valid') {
    await new Promise((resolve) => setImmediate(resolve));
    row = await read();
  }
  const dead = row;
  await at.stop();
  const { updated_at: _, ...left } = dead;
  await at.store.write((tx) => tx.deleteFrom('certificate_version').execute());
  await at.store.write((tx) =>
    tx
      .updateTable('certificate')
      .set({ ...left, served_version_id: null })
      .execute(),
  );
  const next = await startEngine(t, {
    store: at.store,
    secrets: at.secrets,
    solvers: { edge: [] },
    settings: { issuers: ['pebble'] },
  });
  // No solver here: only an order whose authorizations are done can be completed, and it is the same one.
  const url = (JSON.parse(dead.open_order!) as { url: string }).url;
  const outcome = await until(next, id, ({ status }) => status === 'valid' || status === 'failed');
  const events = await next.engine.certificates.events(id, 0, 1000);
  assert.ok(
    events.some(({ detail }) => detail.includes(`going on with the order ${url}`)),
    outcome.summary,
  );
});

test('two processes, one certificate: it is ordered once', async (t) => {
  const at = await startEngineAtPebble(t);
  if (at === undefined) return;
  const other = await startEngine(t, {
    store: at.store,
    secrets: at.secrets,
    solvers: { edge: [] },
    settings: { issuers: ['pebble'], holder: 'other' },
  });
  await other.stop();
  const ids = await Promise.all(
    Array.from({ length: 8 }, (_, i) =>
      at.engine.certificates.ensure({ names: [`n${i}.example.com`], reference: 'x:1' }),
    ),
  );
  for (const id of ids) await until(at, id, isValid);
  for (const id of ids) {
    const orders: unknown[] = (await at.engine.certificates.events(id, 0, 100)).filter(({ step }) => step === 'order');
    assert.equal(orders.length, 1);
  }
});

test('external account binding, key rollover, and an account that the CA forgot', async (t) => {
  const eab = { kid: 'kid-1', hmacKey: 'zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W' };
  const at = await startEngineAtPebble(t, { pebble: { eab } });
  if (at === undefined) return;
  const { certificates, issuers } = at.engine;
  const id = await certificates.ensure({ names: ['shop.example.com'], reference: 'domain:1' });
  const { served } = await until(at, id, isValid);
  const account = (await issuers.get('pebble'))?.accountUrl;
  await issuers.rollOverKey('pebble');
  await certificates.renew(id);
  await until(at, id, (view) => isValid(view) && view.served?.id !== served?.id);
  assert.equal((await issuers.get('pebble'))?.accountUrl, account);
  // As after the CA lost its database: our account's URL means nothing to it.
  const gone = account!.replace(/[^/]+$/, 'ffffffff');
  await at.store.write((tx) => tx.updateTable('issuer_account').set({ url: gone }).execute());
  await at.stop();
  const next = await startEngine(t, {
    store: at.store,
    secrets: at.secrets,
    solvers: { edge: [] },
    settings: { issuers: ['pebble'] },
  });
  await next.engine.certificates.renew(id);
  const failed = await until(next, id, ({ lastProblem }) => lastProblem !== undefined);
  assert.notEqual((await next.engine.issuers.get('pebble'))?.accountUrl, gone, failed.summary);
});
