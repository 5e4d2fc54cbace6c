import { type ColumnDefinitionBuilder, type RawBuilder, sql } from 'kysely';

export type Dialect = 'sqlite' | 'postgres';

export interface ColumnTypes {
  readonly dialect: Dialect;
  /** Type and definition of a 64-bit primary key that counts up by itself. */
  readonly serial: RawBuilder<unknown>;
  readonly serialKey: (column: ColumnDefinitionBuilder) => ColumnDefinitionBuilder;
  readonly binary: RawBuilder<unknown>;
  /** 64-bit integer, for times and counts. */
  readonly integer: RawBuilder<unknown>;
}

/** The column types that differ between the two dialects. */
export function columnTypes(dialect: Dialect): ColumnTypes {
  return dialect === 'sqlite'
    ? {
        dialect,
        serial: sql`integer`,
        // AUTOINCREMENT: a number is never used twice, even after its row was deleted, so cursors stay true.
        serialKey: (column) => column.primaryKey().autoIncrement(),
        binary: sql`blob`,
        integer: sql`integer`,
      }
    : {
        dialect,
        serial: sql`bigserial`,
        serialKey: (column) => column.primaryKey(),
        binary: sql`bytea`,
        integer: sql`bigint`,
      };
}
