import type { Compilable, CompiledQuery, QueryResult } from 'kysely';
import type { Db } from './store.ts';

/** Runs a statement that is text already, without the layers that Kysely puts around each query. */
export type DirectRunner = <Row>(
  text: string,
  parameters: readonly unknown[],
) => QueryResult<Row> | Promise<QueryResult<Row>>;

// One adapter a dialect and database; transactions share that of their store.
const direct = new WeakMap<object, DirectRunner>();

/** From now on `compiled` queries on `db` go to `run`. */
export function runDirectly(db: Db, run: DirectRunner): void {
  direct.set(db.getExecutor().adapter, run);
}

/**
 * A query whose text is made once a dialect instead of at each call, for those that every request runs: building and
 * compiling one costs several times what SQLite needs to run it. `build` is called with any values; each call gives the
 * parameters anew, in the order in which they stand in the text.
 */
export function compiled<Row, Parameters extends readonly unknown[]>(
  build: (db: Db) => Compilable<Row>,
): (db: Db, parameters: Parameters) => Promise<QueryResult<Row>> {
  const kept = new WeakMap<object, CompiledQuery<Row>>();
  return async (db, parameters) => {
    const { adapter } = db.getExecutor();
    let query = kept.get(adapter);
    if (query === undefined) {
      query = build(db).compile();
      kept.set(adapter, query);
    }
    const run = direct.get(adapter);
    return run === undefined ? db.executeQuery({ ...query, parameters }) : run<Row>(query.sql, parameters);
  };
}

/** The values of a row in the order of its columns. */
export const valuesOf = <Row extends object>(columns: readonly (keyof Row & string)[], row: Row): unknown[] =>
  columns.map((column) => row[column]);

/** A row whose values only stand for others, for `compiled` inserts. */
export const anyRow = <Row extends object>(columns: readonly (keyof Row & string)[]): Row =>
  Object.fromEntries(columns.map((column) => [column, 0])) as Row;
