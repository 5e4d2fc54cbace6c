import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Fault } from '../base/index.ts';

/**
 * Keeps a second `gatehouse up` off a data directory. The lock is SQLite's on a file of its own, so the kernel gives it
 * back when the process ends in any way, and no stale lock has to be told from a true one.
 */
export function lockDataDirectory(dataDir: string): { release(): void } {
  const database = new DatabaseSync(join(dataDir, 'lock.db'), { timeout: 0 });
  try {
    database.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; COMMIT');
  } catch (error) {
    database.close();
    throw new Fault(
      {
        code: 'data_dir_in_use',
        detail: `another gatehouse runs on the data directory ${dataDir}`,
        party: 'operator',
        retry: 'never',
        advice: 'stop it, or give this one a directory of its own with --data-dir',
      },
      error,
    );
  }
  return { release: () => database.close() };
}
