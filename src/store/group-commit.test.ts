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
  await turns();
  assert.deepEqual([done.toSorted(), disk.syncs.length], [['first', 'seen'], 2]);
  disk.syncs[1]!.resolve();
  await Promise.all(others);
  await idle();
  assert.deepEqual(done.slice(2), ['second', 'third']);
  assert.equal(
    disk.executed.filter((text) => text === 'commit').length,
    2,
    'those that came meanwhile were one commit',
  );
  assert.equal(confirmed(), undefined);
});

test('a write that fails undoes itself alone: the others are made anew, each behind a savepoint', async () => {
  const disk = target();
  const { write } = createGroupCommit(DB, { ...disk, sync: () => Promise.resolve() });
  const told: number[] = [];
  const outcomes = await Promise.allSettled([
    write(
      async () => 1,
      (value) => told.push(value),
    ),
    write(async () => Promise.reject(new Error('no'))),
    write(
      async () => 3,
      (value) => told.push(value),
    ),
  ]);
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  );
  assert.deepEqual(told, [1, 3]);
  assert.deepEqual(disk.executed, [
    ...['begin immediate', 'rollback'],
    ...['begin immediate', 'savepoint job', 'release job'],
    ...['savepoint job', 'rollback to job', 'release job', 'savepoint job', 'release job', 'commit'],
  ]);
});

test('a write that fails alone leaves nothing to commit', async () => {
  const disk = target();
  const { write, confirmed } = createGroupCommit(DB, disk);
  await assert.rejects(
    write(async () => Promise.reject(new Error('no'))),
    /no/,
  );
  assert.deepEqual([disk.executed, disk.syncs.length, confirmed()], [['begin immediate', 'rollback'], 0, undefined]);
});

test('after the disk failed to confirm, nothing is acknowledged any more', async () => {
  const disk = target();
  const { write } = createGroupCommit(DB, disk);
  const lost = write(async () => 'lost');
  await turns();
  const waiting = write(async () => 'waiting');
  disk.syncs[0]!.reject(new Error('EIO: i/o error, fdatasync'));
  await assert.rejects(lost, { code: 'store_disk_failed', message: /EIO.*start again/ });
  await assert.rejects(waiting, { code: 'store_disk_failed' });
  await assert.rejects(
    write(async () => 'later'),
    { code: 'store_disk_failed' },
  );
});
