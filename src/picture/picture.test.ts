import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { createSealer } from '../secrets/index.ts';
import { createPictureReader, createPictureWriter } from './index.ts';

const certificate = (id: string, version: string, names: string[]) => ({
  id,
  version,
  names,
  chain: `chain of ${version}`,
  key: `key of ${version}`,
  notBefore: 0,
  notAfter: 1000,
});

test('what the writer commits is what the next lookup of a reader sees', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'gatehouse-picture-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const sealer = createSealer([Buffer.alloc(32, 7)]);
  const writer = createPictureWriter(join(directory, 'picture.db'), sealer);
  const reader = createPictureReader(join(directory, 'picture.db'), sealer);
  const before = reader.dataVersion();

  writer.putCertificate(certificate('c1', 'v1', ['shop.example.com', '*.shop.example.com']));
  assert.notEqual(reader.dataVersion(), before);
  assert.equal(reader.certificatesFor('shop.example.com')[0]?.key, 'key of v1');
  assert.equal(reader.certificatesFor('a.shop.example.com')[0]?.id, 'c1');
  assert.deepEqual(reader.certificatesFor('a.b.shop.example.com'), []);

  const cursor = reader.latestChange();
  writer.putCertificate(certificate('c1', 'v2', ['shop.example.com']));
  assert.deepEqual(
    reader.changesSince(cursor)?.map(({ kind, key }) => [kind, key]),
    [['certificate', 'c1']],
  );
  assert.deepEqual(reader.certificatesFor('a.shop.example.com'), []);

  writer.putChallenge({ type: 'http-01', token: 't', keyAuthorization: 't.x', expiresAt: 50 });
  assert.equal(reader.challenge('http-01', 't', 49)?.type, 'http-01');
  assert.equal(reader.challenge('http-01', 't', 50), undefined);

  writer.putRoute({ id: 'r1', host: 'shop.example.com', path: '/', upstreams: [{ url: 'http://127.0.0.1:1' }] });
  assert.equal(reader.routesOf('shop.example.com').length, 1);
  writer.deleteRoute('r1');
  assert.deepEqual([...reader.routes()], []);
  writer.close();
  reader.close();
});

test('a picture of an older release is opened, and a staging certificate is told from others', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'gatehouse-picture-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const path = join(directory, 'picture.db');
  const sealer = createSealer([Buffer.alloc(32, 7)]);
  const older = createPictureWriter(path, sealer);
  older.putCertificate(certificate('c1', 'v1', ['shop.example.com']));
  older.close();
  const database = new DatabaseSync(path);
  database.exec('ALTER TABLE certificate DROP COLUMN staging');
  database.close();
  const writer = createPictureWriter(path, sealer);
  writer.putCertificate({ ...certificate('c2', 'v1', ['shop.example.com']), staging: true });
  const reader = createPictureReader(path, sealer);
  const found = reader.certificatesFor('shop.example.com').map(({ id, staging }) => [id, staging === true]);
  assert.deepEqual(found.sort(), [
    ['c1', false],
    ['c2', true],
  ]);
  writer.close();
  reader.close();
});
