import { chmodSync, existsSync, renameSync, rmSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { backup, DatabaseSync } from 'node:sqlite';
import { dataDirectory, Fault } from '../base/index.ts';
import { readArguments, usage } from './arguments.ts';
import { loadUpConfig } from './config.ts';

const HELP = `Usage: gatehouse backup FILE [--data-dir DIR] [--config FILE] [--json]

Writes everything that "gatehouse up" keeps into one file, while it runs: a snapshot of one moment. Keys and tokens are in
it as they are at rest, sealed; the master key that opens them is not in it, so keep DIR/master.key in another place.
A store on PostgreSQL is backed up with pg_dump.
`;

/** `gatehouse backup FILE`: it needs no server, and disturbs none. */
export async function run(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const read = readArguments(
    'backup',
    HELP,
    argv,
    {
      'data-dir': { type: 'string' },
      config: { type: 'string' },
    },
    1,
  );
  if (read === undefined) return 0;
  const {
    values,
    positionals: [file],
  } = read;
  if (file === undefined) throw usage('backup', 'FILE is missing');
  const dataDir = resolve(dataDirectory(env, values['data-dir']));
  const store = storeFile(dataDir, loadUpConfig(values.config, env).store.url, 'pg_dump');
  if (!existsSync(store)) throw refusal(`there is no store at ${store}`, 'name the data directory with --data-dir');
  if (existsSync(file)) throw refusal(`${file} is there already`, 'give the backup a name of its own');
  // Written aside and renamed, so that a file by this name is always a whole one.
  const draft = `${file}.part`;
  rmSync(draft, { force: true });
  const database = new DatabaseSync(store, { readOnly: true });
  try {
    await backup(database, draft);
  } finally {
    database.close();
  }
  chmodSync(draft, 0o600);
  renameSync(draft, file);
  const bytes = statSync(file).size;
  process.stdout.write(
    values.json === true
      ? `${JSON.stringify({ file, bytes, master_key_included: false })}\n`
      : `✓ ${file} holds ${bytes.toLocaleString('en')} bytes\n  its secrets are sealed: keep ${join(dataDir, 'master.key')} in another place\n`,
  );
  return 0;
}

/** Where SQLite's store is. Throws for a store on PostgreSQL, whose own tool knows better. */
export function storeFile(dataDir: string, url: string | undefined, tool: string): string {
  if (url !== undefined && /^postgres(ql)?:/.test(url))
    throw refusal('the store is on PostgreSQL', `use ${tool} for it, and keep master.key in another place`);
  return url ?? join(dataDir, 'gatehouse.db');
}

export const refusal = (detail: string, advice: string): Fault =>
  new Fault({ code: 'backup_refused', detail, party: 'operator', retry: 'never', advice });
