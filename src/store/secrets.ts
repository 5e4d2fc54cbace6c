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
