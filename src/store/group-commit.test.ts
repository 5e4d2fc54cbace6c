import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createGroupCommit } from './group-commit.ts';
import type { Db } from './store.ts';

/** A disk that confirms when the test says so, and a list of what was executed. */
function target() {
  const executed: string[] = [];
  const syncs: { resolve(): void; reject(error: Error): void }[] = [];
  return {
    executed,
    syncs,
    execute: (text: string) => void executed.push(text),
    sync: () => new Promise<void>((resolve, reject) => syncs.push({ resolve, reject })),
  };
}

const turns = async (count = 4) => {
  for (let i = 0; i < count; i++) await new Promise<void>((resolve) => setImmediate(resolve));
};
const DB = {} as Db;

test('a write is acknowledged when the disk has confirmed it, and later ones share the next confirmation', async () => {
  const disk = target();
  const { write, confirmed, idle } = createGroupCommit(DB, disk);
  const done: string[] = [];
  const first = write(async () => 'first').then((value) => done.push(value));
  await turns();
  assert.equal(disk.executed.at(-1), 'commit');
  const seen = confirmed()?.then(() => done.push('seen'));
  const others = ['second', 'third'].map((name) => write(async () => name).then((value) => done.push(value)));
  await turns();
  assert.deepEqual([done, disk.syncs.length], [[], 1], 'all wait for the one sync under way');
  disk.syncs[0]!.resolve();
  await Promise.all([first, seen]);
  assert.deepEqual([done, disk.syncs.length], [['first', 'seen'], 2]);
  disk.syncs[1]!.resolve();
  await Promise.all(others);
  await idle();
  assert.deepEqual(done, ['first', 'seen', 'second', 'third']);
  assert.equal(confirmed(), undefined);
});

test('a write that fails undoes itself alone', async () => {
  const disk = target();
  const { write } = createGroupCommit(DB, { ...disk, sync: () => Promise.resolve() });
  const outcomes = await Promise.allSettled([
    write(async () => 1),
    write(async () => Promise.reject(new Error('no'))),
    write(async () => 3),
  ]);
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  );
  assert.deepEqual(
    disk.executed.filter((text) => text !== 'savepoint job' && text !== 'release job'),
    ['begin immediate', 'rollback to job', 'commit'],
  );
});

test('the first write of a commit needs no savepoint, and undoes itself all the same', async () => {
  const disk = target();
  const { write } = createGroupCommit(DB, { ...disk, sync: () => Promise.resolve() });
  const outcomes = await Promise.allSettled([write(async () => Promise.reject(new Error('no'))), write(async () => 2)]);
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    ['rejected', 'fulfilled'],
  );
  assert.deepEqual(disk.executed, [
    'begin immediate',
    'rollback',
    'begin immediate',
    'savepoint job',
    'release job',
    'commit',
  ]);
});

test('after the disk failed to confirm, nothing is acknowledged any more', async () => {
  const disk = target();
  const { write } = createGroupCommit(DB, disk);
  const lost = write(async () => 'lost');
  await turns();
  disk.syncs[0]!.reject(new Error('EIO: i/o error, fdatasync'));
  await assert.rejects(lost, { code: 'store_disk_failed', message: /EIO.*start again/ });
  await assert.rejects(
    write(async () => 'later'),
    { code: 'store_disk_failed' },
  );
});
