import { setTimeout as delay } from 'node:timers/promises';
import { Kysely, PostgresDialect, type QueryResult } from 'kysely';
import pg from 'pg';
import { takeNoted } from './changes.ts';
import { type DirectRunner, runDirectly } from './compiled.ts';
import { migrate } from './migrations/index.ts';
import type { Schema } from './schema.ts';
import type { Db, Store } from './store.ts';

interface Job {
  /** Runs once, or again after what it wrote was undone. */
  run(tx: Db): Promise<void>;
  committed(): void;
  fail(error: unknown): void;
}

const MOST_PER_COMMIT = 32;
/** Transactions under way at once. They meet each other's rows and pages, so a second one begins only for what the first could not take. */
const LANES = 4;
const MOST_ATTEMPTS = 40;
const SERIALIZATION_FAILURES = new Set(['40001', '40P01']);

/**
 * Writes are serializable transactions. Those that arrive while one is under way share the next, one after the other; when
 * one of them fails, or another process was in the way, each has a transaction of its own. Reads share one connection on
 * which the next question does not wait for the last answer.
 */
export async function openPostgres({
  url,
  maxConnections = 10,
}: {
  url: string;
  maxConnections?: number;
}): Promise<Store> {
  const pool = openPool(url, Math.max(LANES + 2, maxConnections));
  const db = new Kysely<Schema>({ dialect: new PostgresDialect({ pool }) });
  await migrate(db, 'postgres');
  const reads = createReads(pool);
  runDirectly(db, reads.run);
  const listeners = new Set<() => void>();
  const transact = createTransactions(pool, () => {
    for (const listener of listeners) listener();
  });

  async function alone(job: Job): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        await transact((tx) => job.run(tx));
        return job.committed();
      } catch (error) {
        if (attempt >= MOST_ATTEMPTS || !(isConflict(error) || isStalePlan(error))) return job.fail(error);
        // Many writers of one row: at once they would meet again, and again.
        await delay(Math.random() * Math.min(50, 2 * attempt));
      }
    }
  }

  async function together(jobs: readonly Job[]): Promise<boolean> {
    try {
      await transact(async (tx) => {
        for (const job of jobs) await job.run(tx);
      });
    } catch (error) {
      // Nobody knows whether that commit happened, so nothing of it may be tried again.
      if (error instanceof CommitFailed) for (const job of jobs) job.fail(error.cause);
      return error instanceof CommitFailed;
    }
    for (const job of jobs) job.committed();
    return true;
  }

  let queue: Job[] = [];
  let underWay = 0;
  function next(): void {
    while (queue.length > (underWay === 0 ? 0 : MOST_PER_COMMIT) && underWay < LANES) {
      const jobs = queue.slice(0, MOST_PER_COMMIT);
      queue = queue.slice(MOST_PER_COMMIT);
      underWay++;
      void perform(jobs);
    }
  }
  async function perform(jobs: readonly Job[]): Promise<void> {
    if (jobs.length === 1 || !(await together(jobs))) for (const job of jobs) await alone(job);
    underWay--;
    next();
  }

  return {
    dialect: 'postgres',
    db,
    write<T>(work: (tx: Db) => Promise<T>, committed?: (value: T) => void) {
      return new Promise<T>((resolve, reject) => {
        let value: T;
        queue.push({
          async run(tx) {
            value = await work(tx);
          },
          committed() {
            committed?.(value);
            resolve(value);
          },
          fail: (error) => reject(error instanceof CommitFailed ? error.cause : error),
        });
        next();
      });
    },
    confirmed: () => undefined,
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    async close() {
      reads.close();
      await db.destroy();
    },
  };
}

function openPool(connectionString: string, max: number): pg.Pool {
  // int8 arrives as text by default; our times and counters stay well below 2^53.
  const types = {
    getTypeParser: (oid: number, format?: 'text' | 'binary') =>
      oid === 20 ? Number : pg.types.getTypeParser(oid, format as 'text'),
  } as pg.CustomTypesConfig;
  const pool = new pg.Pool({ connectionString, max, types, pipeline: true, keepAlive: true });
  // A connection that breaks is replaced by the pool; without listeners it would end the process.
  pool.on('error', () => {});
  pool.on('connect', (client) => client.on('error', () => {}));
  return pool;
}

// The server plans a statement that has a name once a connection.
const names = new Map<string, string>();

function nameOf(text: string): string {
  let name = names.get(text);
  if (name === undefined) {
    name = `gatehouse_${names.size}`;
    names.set(text, name);
  }
  return name;
}

const WRITES = new Set(['INSERT', 'UPDATE', 'DELETE', 'MERGE']);

async function runOn<Row>(client: pg.ClientBase, text: string, values: readonly unknown[]) {
  const { rows, rowCount, command } = await client.query({ name: nameOf(text), text, values: values as unknown[] });
  return { rows: rows as Row[], ...(WRITES.has(command) && { numAffectedRows: BigInt(rowCount ?? 0) }) };
}

/** Statements of `compiled` outside of writes, on one connection that is taken when it is first needed, or needed anew. */
function createReads(pool: pg.Pool): { run: DirectRunner; close(): void } {
  let taken: Promise<pg.PoolClient> | undefined;
  function drop(mine: Promise<pg.PoolClient>, error: Error | undefined): void {
    if (taken !== mine) return;
    taken = undefined;
    void mine.then(
      (client) => client.release(error),
      () => {},
    );
  }
  async function run<Row>(text: string, values: readonly unknown[], again = true): Promise<QueryResult<Row>> {
    taken ??= pool.connect();
    const mine = taken;
    try {
      return await runOn<Row>(await mine, text, values);
    } catch (error) {
      // What the server refused, it would refuse again, unless for what this connection remembers.
      if (isFromServer(error) && !isStalePlan(error)) throw error;
      drop(mine, error as Error);
      if (!again) throw error;
      return run(text, values, false);
    }
  }
  return {
    run: (text, values) => run(text, values),
    close: () => taken && drop(taken, undefined),
  };
}

const codeOf = (error: unknown): string => (error as { code?: string }).code ?? '';
const isConflict = (error: unknown): boolean => SERIALIZATION_FAILURES.has(codeOf(error));
const isFromServer = (error: unknown): boolean => error instanceof pg.DatabaseError;
/** Another process, of a newer version, added a column to a table of which this connection has named statements. */
const isStalePlan = (error: unknown): boolean =>
  codeOf(error) === '0A000' && (error as Error).message.includes('cached plan');

/** The commit itself failed, other than by a conflict. */
class CommitFailed extends Error {}

type Transact = <T>(work: (tx: Db) => Promise<T>) => Promise<T>;

function createTransactions(pool: pg.Pool, tellChanged: () => void): Transact {
  // Each connection has a handle of its own, made once, so that what was compiled for it stays.
  const handles = new WeakMap<pg.PoolClient, Db>();
  function handleOf(client: pg.PoolClient): Db {
    let handle = handles.get(client);
    if (handle === undefined) {
      const borrowed = { query: client.query.bind(client), release: () => {} } as unknown as pg.PoolClient;
      const only = { connect: async () => borrowed, end: async () => {}, options: {} };
      handle = new Kysely<Schema>({ dialect: new PostgresDialect({ pool: only }) });
      runDirectly(handle, (text, values) => runOn(client, text, values));
      handles.set(client, handle);
    }
    return handle;
  }
  return async (work) => {
    const client = await pool.connect();
    let broken: Error | undefined;
    try {
      await client.query('begin isolation level serializable');
      const tx = handleOf(client);
      const value = await work(tx).catch(async (error: unknown) => {
        if (isStalePlan(error)) broken = error as Error;
        await client.query('rollback').catch((failure: Error) => {
          broken = failure;
        });
        throw error;
      });
      const changed = takeNoted(tx);
      const { command } = await client.query('commit').catch((error: Error) => {
        if (isConflict(error)) throw error;
        broken = error;
        throw new CommitFailed('the commit failed', { cause: error });
      });
      // Answered when a statement had failed and nobody noticed.
      if (command === 'ROLLBACK') throw new Error('the transaction was undone, since a statement in it had failed');
      if (changed) tellChanged();
      return value;
    } finally {
      client.release(broken);
    }
  };
}
