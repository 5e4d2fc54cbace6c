import type { Db } from './store.ts';

export interface AppTables {
  app: {
    /** A label that people choose. */
    id: string;
    /** What people call it. */
    name: string;
    /** Goes into TXT records as proof: an app made later with the same id has another. */
    proof_token: string;
    /** JSON of `Upstream[]`. */
    upstreams: string;
    created_at: number;
    updated_at: number;
  };
}

export type AppRow = AppTables['app'];

export async function appById(db: Db, id: string): Promise<AppRow | undefined> {
  return db.selectFrom('app').selectAll().where('id', '=', id).executeTakeFirst();
}

export async function insertApp(tx: Db, row: AppRow): Promise<void> {
  await tx.insertInto('app').values(row).execute();
}

export async function updateApp(
  tx: Db,
  id: string,
  change: Partial<Pick<AppRow, 'name' | 'upstreams'>>,
  now: number,
): Promise<void> {
  await tx
    .updateTable('app')
    .set({ ...change, updated_at: now })
    .where('id', '=', id)
    .execute();
}

export async function deleteApp(tx: Db, id: string): Promise<void> {
  await tx.deleteFrom('app').where('id', '=', id).execute();
}

/** In order of id, those after `after`; only `ids` when given. */
export async function listApps(
  db: Db,
  page: { after?: string; limit: number; ids?: readonly string[] },
): Promise<AppRow[]> {
  let query = db.selectFrom('app').selectAll().orderBy('id').limit(page.limit);
  if (page.after !== undefined) query = query.where('id', '>', page.after);
  if (page.ids !== undefined) query = query.where('id', 'in', [...page.ids]);
  return query.execute();
}
