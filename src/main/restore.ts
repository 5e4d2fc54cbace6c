import { copyFileSync, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { dataDirectory, errorText, systemClock } from '../base/index.ts';
import { createSealedSecretStore, createSealer, loadMasterKeys } from '../secrets/index.ts';
import { openStore } from '../store/index.ts';
import { readArguments, usage } from './arguments.ts';
import { refusal, storeFile } from './backup.ts';
import { loadUpConfig } from './config.ts';
import { lockDataDirectory } from './lock.ts';

const HELP = `Usage: gatehouse restore FILE [--data-dir DIR] [--config FILE] [--force] [--json]

Puts a backup into a data directory on which nothing runs. The master key of that time must be there as DIR/master.key or
in GATEHOUSE_MASTER_KEY; it is tried before anything is changed. --force puts a store that is there aside, and keeps it.
`;

/** `gatehouse restore FILE`: everything is tried first, then one rename makes it true. */
export async function run(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const read = readArguments(
    'restore',
    HELP,
    argv,
    {
      'data-dir': { type: 'string' },
      config: { type: 'string' },
      force: { type: 'boolean' },
    },
    1,
  );
  if (read === undefined) return 0;
  const {
    values,
    positionals: [file],
  } = read;
  if (file === undefined) throw usage('restore', 'FILE is missing');
  const dataDir = resolve(dataDirectory(env, values['data-dir']));
  const store = storeFile(dataDir, loadUpConfig(values.config, env).store.url, 'psql or pg_restore');
  if (!existsSync(file)) throw refusal(`there is no file ${file}`, 'name the file that gatehouse backup wrote');
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const lock = lockDataDirectory(dataDir);
  try {
    const aside = `${store}.before-${new Date(systemClock.now()).toISOString().replace(/[:.]/g, '-')}`;
    if (existsSync(store) && values.force !== true)
      throw refusal(`${store} is there already`, 'with --force it is put aside, and kept');
    const draft = `${store}.restoring`;
    await tryBackup(file, draft, dataDir, env);
    const replaced = existsSync(store);
    if (replaced) renameSync(store, aside);
    for (const rest of ['-wal', '-shm']) rmSync(`${store}${rest}`, { force: true });
    renameSync(draft, store);
    // What the edge serves is made anew from the store; certificates that the backup does not know must not stay.
    rmSync(join(dataDir, 'edge'), { recursive: true, force: true });
    process.stdout.write(
      values.json === true
        ? `${JSON.stringify({ store, replaced: replaced ? aside : null })}\n`
        : `✓ ${store} is restored${replaced ? `; what was there is ${aside}` : ''}\n  start it with: gatehouse up --data-dir ${dataDir}\n`,
    );
  } finally {
    lock.release();
  }
  return 0;
}

/** Copies the backup beside the store, and makes sure that it is whole, known and opened by the master key. */
async function tryBackup(file: string, draft: string, dataDir: string, env: NodeJS.ProcessEnv): Promise<void> {
  const keyFile = join(dataDir, 'master.key');
  const given = env.GATEHOUSE_MASTER_KEY;
  if (given === undefined && !existsSync(keyFile))
    throw refusal(`the master key is not there: ${keyFile}`, 'copy the one that was in use when the backup was made');
  copyFileSync(file, draft);
  try {
    checkWhole(draft, file);
    const store = await openStore({ url: draft });
    try {
      const sealer = createSealer(loadMasterKeys({ file: keyFile, ...(given !== undefined && { value: given }) }));
      const secrets = createSealedSecretStore(store, sealer, systemClock);
      const one = await store.db.selectFrom('secret').select('path').limit(1).executeTakeFirst();
      if (one !== undefined) await secrets.get(one.path);
    } catch (error) {
      throw refusal(
        `the master key does not open what is in ${file}: ${errorText(error)}`,
        'give the master key of the time of the backup',
      );
    } finally {
      await store.close();
    }
    for (const rest of ['-wal', '-shm']) rmSync(`${draft}${rest}`, { force: true });
  } catch (error) {
    for (const rest of ['', '-wal', '-shm']) rmSync(`${draft}${rest}`, { force: true });
    throw error;
  }
}

function checkWhole(draft: string, file: string): void {
  let verdict: unknown;
  try {
    const database = new DatabaseSync(draft);
    try {
      verdict = database.prepare('PRAGMA quick_check').get()?.quick_check;
      const ours = database.prepare("SELECT 1 FROM sqlite_master WHERE name = 'change_log'").get();
      if (verdict === 'ok' && ours === undefined) verdict = 'it is no store of Gatehouse';
    } finally {
      database.close();
    }
  } catch (error) {
    verdict = errorText(error);
  }
  if (verdict !== 'ok')
    throw refusal(`${file} is no whole backup: ${String(verdict)}`, 'take another backup; nothing was changed');
}
