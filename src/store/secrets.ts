import type { Db } from './store.ts';

export interface SecretTables {
  /** `envelope` is sealed; see secrets/sealer.ts. */
  secret: { path: string; envelope: Uint8Array; updated_at: number };
}

export async function putSealedSecret(tx: Db, path: string, envelope: Uint8Array, now: number): Promise<void> {
  await tx
    .insertInto('secret')
    .values({ path, envelope, updated_at: now })
    .onConflict((conflict) => conflict.column('path').doUpdateSet({ envelope, updated_at: now }))
    .execute();
}

export async function getSealedSecret(db: Db, path: string): Promise<Uint8Array | undefined> {
  const row = await db.selectFrom('secret').select('envelope').where('path', '=', path).executeTakeFirst();
  return row?.envelope;
}

export async function deleteSealedSecret(tx: Db, path: string): Promise<void> {
  await tx.deleteFrom('secret').where('path', '=', path).execute();
}

/** In order of path, those after `after`. */
export async function sealedSecretsAfter(
  db: Db,
  after: string,
  limit: number,
): Promise<{ path: string; envelope: Uint8Array }[]> {
  return db
    .selectFrom('secret')
    .select(['path', 'envelope'])
    .where('path', '>', after)
    .orderBy('path')
    .limit(limit)
    .execute();
}

/** Changes it only where it still is `before`; answers how many rows it changed. */
export async function replaceSealedSecret(
  tx: Db,
  path: string,
  before: Uint8Array,
  after: Uint8Array,
  now: number,
): Promise<number> {
  const { numUpdatedRows } = await tx
    .updateTable('secret')
    .set({ envelope: after, updated_at: now })
    .where('path', '=', path)
    .where('envelope', '=', before)
    .executeTakeFirst();
  return Number(numUpdatedRows);
}
