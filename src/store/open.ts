import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { Kysely, PostgresDialect, type SqliteDatabase, SqliteDialect } from 'kysely';
import pg from 'pg';
import { takeNoted } from './changes.ts';
import { createGroupCommit } from './group-commit.ts';
import { migrate } from './migrations/index.ts';
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

/** A store that lives in memory, for tests. */
export const openMemoryStore = (): Promise<Store> => openSqlite(':memory:');

async function openSqlite(path: string): Promise<Store> {
  const inMemory = path === ':memory:';
  if (!inMemory) mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const writer = openDatabase(path, false);
  const writes = kyselyOn(writer);
  await migrate(writes, 'sqlite');
  // A second connection for reads: it sees only what is committed, so a read between two steps of a write is honest.
  // A memory database belongs to its one connection, so there both are the same.
  const reads = inMemory ? writes : kyselyOn(openDatabase(path, true));
  const listeners = new Set<() => void>();
  const group = createGroupCommit(writes, () => {
    if (takeNoted(writes)) tell(listeners);
  });
  return {
    dialect: 'sqlite',
    db: reads,
    write: group.write,
    onChange: (listener) => listen(listeners, listener),
    async close() {
      await group.idle();
      if (reads !== writes) await reads.destroy();
      await writes.destroy();
    },
  };
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
  // FULL: an acknowledged write survives a power cut, not only a crash of ours (rule 2 of the product).
  if (!readOnly) database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON');
  return database;
}

function kyselyOn(database: DatabaseSync): Db {
  return new Kysely<Schema>({ dialect: new SqliteDialect({ database: adapt(database) }) });
}

/** node:sqlite in the shape Kysely knows, with prepared statements kept: preparing costs more than running. */
function adapt(database: DatabaseSync): SqliteDatabase {
  const MOST_STATEMENTS = 500;
  const statements = new Map<string, { statement: StatementSync; reader: boolean }>();
  const prepared = (text: string) => {
    let entry = statements.get(text);
    if (entry === undefined) {
      const statement = database.prepare(text);
      entry = { statement, reader: statement.columns().length > 0 };
      if (statements.size >= MOST_STATEMENTS) statements.delete(statements.keys().next().value!);
      statements.set(text, entry);
    }
    return entry;
  };
  return {
    close: () => database.close(),
    prepare(text) {
      // A schema change invalidates what `columns()` said, so such statements are not kept.
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

async function openPostgres(options: StoreOptions): Promise<Store> {
  // int8 arrives as text by default; our times and counters stay well below 2^53.
  const types = {
    getTypeParser: (oid: number, format?: 'text' | 'binary') =>
      oid === 20 ? Number : pg.types.getTypeParser(oid, format as 'text'),
  } as pg.CustomTypesConfig;
  const pool = new pg.Pool({ connectionString: options.url, max: options.maxConnections ?? 10, types });
  // An idle connection that breaks is replaced by the pool; without a listener it would end the process.
  pool.on('error', () => {});
  const db = new Kysely<Schema>({ dialect: new PostgresDialect({ pool }) });
  await migrate(db, 'postgres');
  const listeners = new Set<() => void>();
  const SERIALIZATION_FAILURES = new Set(['40001', '40P01']);
  return {
    dialect: 'postgres',
    db,
    async write(work) {
      for (let attempt = 1; ; attempt++) {
        try {
          const { result, changed } = await db
            .transaction()
            .setIsolationLevel('serializable')
            .execute(async (tx) => ({ result: await work(tx), changed: takeNoted(tx) }));
          if (changed) tell(listeners);
          return result;
        } catch (error) {
          if (attempt >= 20 || !SERIALIZATION_FAILURES.has((error as { code?: string }).code ?? '')) throw error;
        }
      }
    },
    onChange: (listener) => listen(listeners, listener),
    close: () => db.destroy(),
  };
}
