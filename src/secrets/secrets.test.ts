import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryDirectory } from '../../test/fixtures/temporary.ts';
import { createVirtualClock, Fault } from '../base/index.ts';
import { openMemoryStore } from '../store/index.ts';
import { createSealedSecretStore, createSealer, loadMasterKeys, resealSecrets } from './index.ts';

const clock = createVirtualClock();
const unreadable = (error: unknown) => error instanceof Fault && error.code === 'secret_unreadable';

test('an envelope opens only at its own place, unchanged, under its own key', () => {
  const sealer = createSealer([randomBytes(32)]);
  const envelope = sealer.seal(Buffer.from('token'), 'a/1');
  assert.equal(Buffer.from(sealer.open(envelope, 'a/1')).toString(), 'token');
  assert.throws(() => sealer.open(envelope, 'a/2'), unreadable);
  assert.throws(() => createSealer([randomBytes(32)]).open(envelope, 'a/1'), unreadable);
  for (let at = 0; at < envelope.length; at++) {
    const changed = Buffer.from(envelope);
    changed[at]! ^= 1;
    assert.throws(() => sealer.open(changed, 'a/1'), unreadable, `byte ${at}`);
  }
});

test('a master key is changed while secrets are read and written, and the old one is then of no use', async (t) => {
  const store = await openMemoryStore();
  t.after(() => store.close());
  const [old, fresh] = [randomBytes(32), randomBytes(32)];
  const before = createSealedSecretStore(store, createSealer([old]), clock);
  const paths = Array.from({ length: 450 }, (_, index) => `p/${index}`);
  for (const path of paths) await before.put(path, Buffer.from(`old ${path}`));
  const sealer = createSealer([fresh, old]);
  const during = createSealedSecretStore(store, sealer, clock);
  const resealing = resealSecrets(store, sealer, clock);
  await during.put('p/7', Buffer.from('newer'));
  assert.equal(Buffer.from((await during.get('p/300'))!).toString(), 'old p/300');
  assert.ok((await resealing) >= paths.length - 1);
  assert.equal(await resealSecrets(store, sealer, clock), 0);
  const after = createSealedSecretStore(store, createSealer([fresh]), clock);
  for (const path of paths) {
    const expected = path === 'p/7' ? 'newer' : `old ${path}`;
    assert.equal(Buffer.from((await after.get(path))!).toString(), expected);
  }
  await assert.rejects(before.get('p/1'), unreadable);
});

test('the key file is made once, kept from others, and may hold several keys', (t) => {
  const file = join(temporaryDirectory(t), 'keys', 'master.key');
  const [made] = loadMasterKeys({ file });
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.deepEqual(loadMasterKeys({ file }), [made]);
  const fresh = randomBytes(32);
  writeFileSync(file, `${fresh.toString('base64')}\n${Buffer.from(made).toString('base64')}\n`);
  assert.deepEqual(loadMasterKeys({ file }), [fresh, made]);
  assert.throws(() => loadMasterKeys({ file, value: 'short' }), /GATEHOUSE_MASTER_KEY is not base64 of 32 bytes/);
});
