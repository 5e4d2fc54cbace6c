import { closeSync, fdatasync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { promisify } from 'node:util';
import { Kysely, type SqliteDatabase, SqliteDialect } from 'kysely';
import { takeNoted } from './changes.ts';
import { type DirectRunner, runDirectly } from './compiled.ts';
import { createGroupCommit } from './group-commit.ts';
import { migrate } from './migrations/index.ts';
import { openPostgres } from './postgres.ts';
import type { Schema } from './schema.ts';
import type { Db, Store } from './store.ts';

export interface StoreOptions {
  /** A file path for SQLite, or a `postgres://` URL. */
  readonly url: string;
  /** PostgreSQL only: connections in the pool. */
  readonly maxConnections?: number;
}

/** Opens the store and brings its schema up to date. Throws when the file or server cannot be used. */
export async function openStore(options: StoreOptions): Promise<Store> {
  return /^postgres(ql)?:/.test(options.url) ? openPostgres(options) : openSqlite(options.url);
}

/** A store that lives in memory, for tests; writes wait for no disk. */
export const openMemoryStore = (): Promise<Store> => openSqlite(':memory:', true);

/**
 * The same in a file, for what would be large: after most commits SQLite walks all pages that it holds, and a memory
 * database is held whole.
 */
export const openUnsyncedStore = (path: string): Promise<Store> => openSqlite(path, true);

async function openSqlite(path: string, unsynced = false): Promise<Store> {
  if (path !== ':memory:') mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const writer = openDatabase(path, false);
  const statements = keepStatements(writer);
  const writes = kyselyOn(writer, statements);
  await migrate(writes, 'sqlite');
  // A second connection for reads: it sees only what is committed, so a read between two steps of a write is honest.
  // A memory database belongs to its one connection, so there both are the same.
  const reads = unsynced ? writes : openReads(path);
  const listeners = new Set<() => void>();
  const disk = unsynced ? undefined : await openDisk(path);
  const group = createGroupCommit(writes, {
    execute: (text) => void statements(text).statement.run(),
    sync: disk?.sync ?? (() => Promise.resolve()),
    committed: () => {
      if (takeNoted(writes)) tell(listeners);
    },
  });
  return {
    dialect: 'sqlite',
    db: reads,
    write: group.write,
    confirmed: group.confirmed,
    onChange: (listener) => listen(listeners, listener),
    async close() {
      await group.idle();
      disk?.close();
      if (reads !== writes) await reads.destroy();
      await writes.destroy();
    },
  };
}

/**
 * The write-ahead log as the disk has it. SQLite itself would wait for the disk within each commit (synchronous = FULL),
 * and the whole event loop with it. With NORMAL it only writes, and this does the same sync of the same file after the
 * commit and before the write is acknowledged, on a thread of its own.
 */
async function openDisk(path: string): Promise<{ sync(): Promise<void>; close(): void }> {
  const log = openSync(`${path}-wal`, 'r');
  const datasync = promisify(fdatasync);
  const sync = () => datasync(log);
  // The migrations' commits.
  await sync();
  return { sync, close: () => closeSync(log) };
}

function listen(listeners: Set<() => void>, listener: () => void): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

function tell(listeners: ReadonlySet<() => void>): void {
  for (const listener of listeners) listener();
}

function openDatabase(path: string, readOnly: boolean): DatabaseSync {
  const database = new DatabaseSync(path, { readOnly, timeout: 10_000 });
  if (readOnly) return database;
  // An acknowledged write survives a power cut, not only a crash of ours (rule 2 of the product): see `openDisk`.
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON');
  // What a savepoint could undo needs no file; and a page that is written often is copied into the database less often.
  database.exec('PRAGMA temp_store = MEMORY; PRAGMA wal_autocheckpoint = 4000');
  return database;
}

function openReads(path: string): Db {
  const database = openDatabase(path, true);
  return kyselyOn(database, keepStatements(database));
}

function kyselyOn(database: DatabaseSync, prepared: Prepared): Db {
  const db: Db = new Kysely<Schema>({ dialect: new SqliteDialect({ database: adapt(database, prepared) }) });
  runDirectly(db, directly(prepared));
  return db;
}

type Prepared = (text: string) => { readonly statement: StatementSync; readonly reader: boolean };

/** Prepared statements are kept: preparing costs more than running. */
function keepStatements(database: DatabaseSync): Prepared {
  const MOST_STATEMENTS = 500;
  const statements = new Map<string, ReturnType<Prepared>>();
  return (text) => {
    let entry = statements.get(text);
    if (entry === undefined) {
      const statement = database.prepare(text);
      entry = { statement, reader: statement.columns().length > 0 };
      if (statements.size >= MOST_STATEMENTS) statements.delete(statements.keys().next().value!);
      statements.set(text, entry);
    }
    return entry;
  };
}

const directly =
  (prepared: Prepared): DirectRunner =>
  <Row>(text: string, parameters: readonly unknown[]) => {
    const { statement, reader } = prepared(text);
    const values = parameters as SQLInputValue[];
    if (reader) return { rows: statement.all(...values) as Row[] };
    return { rows: [], numAffectedRows: BigInt(statement.run(...values).changes) };
  };

/** node:sqlite in the shape Kysely knows. */
function adapt(database: DatabaseSync, prepared: Prepared): SqliteDatabase {
  return {
    close: () => database.close(),
    prepare(text) {
      const { statement, reader } = prepared(text);
      return {
        reader,
        all: (parameters) => statement.all(...(parameters as SQLInputValue[])),
        run: (parameters) => statement.run(...(parameters as SQLInputValue[])),
        iterate: (parameters) => statement.iterate(...(parameters as SQLInputValue[])),
      };
    },
  };
}
