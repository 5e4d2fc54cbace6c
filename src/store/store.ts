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
   * writer), and must be repeatable, since PostgreSQL may ask for it again after a conflict. `committed` is called a
   * little earlier, when the write is made but the disk may not have confirmed it: for what harms nobody if a power cut
   * takes the write back.
   */
  write<T>(work: (tx: Db) => Promise<T>, committed?: (value: T) => void): Promise<T>;
  /**
   * Undefined, or a promise that resolves, when everything that `db` shows now would survive a power cut. Readers may see
   * a commit a moment before the disk has confirmed it; who tells a stranger of what they read waits for this first.
   */
  confirmed(): Promise<void> | undefined;
  /**
   * Calls `listener` right after each commit of this process that noted a change, so that followers of the change log
   * need not wait for their next look. Other processes' commits are only found by looking. Answers how to stop.
   */
  onChange(listener: () => void): () => void;
  close(): Promise<void>;
}
