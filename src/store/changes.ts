import type { Generated } from 'kysely';
import { compiled } from './compiled.ts';
import type { Db, Store } from './store.ts';

/** Kinds of thing whose change others follow: publishers, probes, event streams. */
export type ChangeKind = 'route' | 'certificate' | 'domain' | 'app' | 'mission' | 'network' | 'credential' | 'issuer';

export interface ChangeTables {
  change_log: { seq: Generated<number>; at: number; kind: ChangeKind; key: string };
  /** How far one that must miss nothing has followed, over restarts. */
  change_follower: { name: string; seq: number };
}

export interface Change {
  readonly seq: number;
  readonly at: number;
  readonly kind: ChangeKind;
  /** Id of the thing that changed. */
  readonly key: string;
}

const noted = new WeakSet<Db>();

/** Whether a change was noted through this handle since it was last asked: how the store knows whom to wake. */
export const takeNoted = (tx: Db): boolean => noted.delete(tx);

const insert = compiled<unknown, [at: number, kind: string, key: string]>((db) =>
  db.insertInto('change_log').values({ at: 0, kind: 'certificate', key: '' }),
);

/**
 * Notes, in the same transaction as the change itself, that something changed. Followers read on from their own cursor,
 * so the cost of following is the number of changes and never the number of things.
 */
export async function recordChange(tx: Db, kind: ChangeKind, key: string, now: number): Promise<void> {
  noted.add(tx);
  await insert(tx, [now, kind, key]);
}

export async function changesSince(db: Db, seq: number, limit = 1000): Promise<Change[]> {
  return db.selectFrom('change_log').selectAll().where('seq', '>', seq).orderBy('seq').limit(limit).execute();
}

/** The newest sequence number, 0 when nothing has changed yet. */
export async function latestChange(db: Db): Promise<number> {
  const row = await db.selectFrom('change_log').select('seq').orderBy('seq', 'desc').limit(1).executeTakeFirst();
  return row?.seq ?? 0;
}

/** Where a follower of this name goes on; undefined before it was first noted. */
export async function followedUntil(db: Db, name: string): Promise<number | undefined> {
  const row = await db.selectFrom('change_follower').select('seq').where('name', '=', name).executeTakeFirst();
  return row?.seq;
}

export async function noteFollowed(tx: Db, name: string, seq: number): Promise<void> {
  await tx
    .insertInto('change_follower')
    .values({ name, seq })
    .onConflict((conflict) => conflict.column('name').doUpdateSet({ seq }))
    .execute();
}

/**
 * Removes changes from before `before`, at most `most` at a time; how many went. The newest stays, so that numbers are
 * never given again.
 */
export async function forgetChanges(store: Pick<Store, 'db' | 'write'>, before: number, most = 1000): Promise<number> {
  const oldest = await store.db
    .selectFrom('change_log')
    .select(['seq', 'at'])
    .orderBy('seq')
    .limit(most + 1)
    .execute();
  const stays = oldest.findIndex(({ at }) => at >= before);
  const gone = oldest.slice(0, stays === -1 ? -1 : stays);
  const last = gone.at(-1)?.seq;
  if (last === undefined) return 0;
  await store.write((tx) => tx.deleteFrom('change_log').where('seq', '<=', last).execute());
  return gone.length;
}
