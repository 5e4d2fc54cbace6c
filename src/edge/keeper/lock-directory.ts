import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Fault } from '../../base/index.ts';

/**
 * Keeps a second process off a directory, which is made when absent. The lock is SQLite's on a file of its own: the
 * kernel gives it back however the process ends, in other containers on the same volume too.
 */
export function lockDirectory(path: string): { release(): void } {
  const details = { party: 'operator', retry: 'never' } as const;
  let database: DatabaseSync;
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    database = new DatabaseSync(join(path, 'lock.db'), { timeout: 0 });
  } catch (error) {
    const detail = `${path} cannot be written: ${(error as Error).message}`;
    throw new Fault({ ...details, code: 'directory_unusable', detail }, error);
  }
  try {
    database.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; COMMIT');
  } catch (error) {
    database.close();
    const detail = `another process uses ${path}`;
    const advice = 'give each listener and each process a cache_dir of its own, or stop the other one';
    throw new Fault({ ...details, code: 'directory_in_use', detail, advice }, error);
  }
  return { release: () => database.close() };
}
