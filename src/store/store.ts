import type { Kysely } from 'kysely';
import type { Schema } from './schema.ts';

/** Queries may run on the store itself or inside a write; both are this type. */
export type Db = Kysely<Schema>;

export interface Store {
  readonly dialect: 'sqlite' | 'postgres';
  /** For reading. Sees every committed write, and none that is under way. */
  readonly db: Db;
  /**
   * Runs `work` in one durable transaction: when the promise resolves, its writes survive a crash; when `work` throws,
   * none of them happened. `work` must await nothing but its queries (a network call inside would hold up every other
   * writer), and must be repeatable, since PostgreSQL may ask for it again after a conflict.
   */
  write<T>(work: (tx: Db) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}
