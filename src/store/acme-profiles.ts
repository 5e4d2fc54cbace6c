import { compiled } from './compiled.ts';
import type { Db } from './store.ts';

export interface AcmeProfileRow {
  readonly id: string;
  /** JSON; its shape is acme-server's `ProfileSettings`. */
  readonly settings: string;
  readonly is_default: number;
  /** Counts the changes of `settings`, so that what was parsed from them can be kept. */
  readonly version: number;
  readonly created_at: number;
  readonly updated_at: number;
}

export interface EabKeyRow {
  readonly id: string;
  readonly profile_id: string;
  /** JSON; its shape is acme-server's `EabKeySettings`. The secret rests in the secret store. */
  readonly settings: string;
  readonly account_id: string | null;
  readonly created_at: number;
  readonly expires_at: number | null;
  readonly revoked_at: number | null;
  /** Issued under this key so far. */
  readonly certificates: number;
}

export interface AcmeProfileTables {
  acme_profile: AcmeProfileRow;
  acme_eab_key: EabKeyRow;
}

const profileById = compiled<AcmeProfileRow, [id: string]>((db) =>
  db.selectFrom('acme_profile').selectAll().where('id', '=', ''),
);
const defaultProfile = compiled<AcmeProfileRow, [isDefault: number]>((db) =>
  db.selectFrom('acme_profile').selectAll().where('is_default', '=', 1),
);
const eabKeyById = compiled<EabKeyRow, [id: string]>((db) =>
  db.selectFrom('acme_eab_key').selectAll().where('id', '=', ''),
);

export const findProfile = async (db: Db, id: string): Promise<AcmeProfileRow | undefined> =>
  (await profileById(db, [id])).rows[0];

export const findDefaultProfile = async (db: Db): Promise<AcmeProfileRow | undefined> =>
  (await defaultProfile(db, [1])).rows[0];

export function listProfiles(db: Db, page: { after?: string; limit: number }): Promise<AcmeProfileRow[]> {
  const query = db.selectFrom('acme_profile').selectAll().orderBy('id').limit(page.limit);
  return (page.after === undefined ? query : query.where('id', '>', page.after)).execute();
}

/** False when the id is taken. */
export async function insertProfile(tx: Db, row: AcmeProfileRow): Promise<boolean> {
  if (row.is_default === 1) await tx.updateTable('acme_profile').set({ is_default: 0 }).execute();
  const { numInsertedOrUpdatedRows } = await tx
    .insertInto('acme_profile')
    .values(row)
    .onConflict((conflict) => conflict.column('id').doNothing())
    .executeTakeFirst();
  return (numInsertedOrUpdatedRows ?? 0n) > 0n;
}

export async function updateProfile(
  tx: Db,
  row: Pick<AcmeProfileRow, 'id' | 'settings' | 'is_default' | 'updated_at'>,
): Promise<void> {
  if (row.is_default === 1) await tx.updateTable('acme_profile').set({ is_default: 0 }).execute();
  await tx
    .updateTable('acme_profile')
    .set((e) => ({
      settings: row.settings,
      is_default: row.is_default,
      updated_at: row.updated_at,
      version: e('version', '+', 1),
    }))
    .where('id', '=', row.id)
    .execute();
}

export async function deleteProfile(tx: Db, id: string): Promise<void> {
  await tx.deleteFrom('acme_profile').where('id', '=', id).execute();
}

export async function insertEabKey(tx: Db, row: EabKeyRow): Promise<void> {
  await tx.insertInto('acme_eab_key').values(row).execute();
}

export const findEabKey = async (db: Db, id: string): Promise<EabKeyRow | undefined> =>
  (await eabKeyById(db, [id])).rows[0];

export function listEabKeys(db: Db, profileId: string, page: { after?: string; limit: number }): Promise<EabKeyRow[]> {
  const query = db
    .selectFrom('acme_eab_key')
    .selectAll()
    .where('profile_id', '=', profileId)
    .orderBy('id')
    .limit(page.limit);
  return (page.after === undefined ? query : query.where('id', '>', page.after)).execute();
}

/** Binds a key to its first account; false when another one has it. */
export async function bindEabKey(tx: Db, id: string, accountId: string): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('acme_eab_key')
    .set({ account_id: accountId })
    .where('id', '=', id)
    .where('account_id', 'is', null)
    .where('revoked_at', 'is', null)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

export async function revokeEabKey(tx: Db, id: string, now: number): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('acme_eab_key')
    .set({ revoked_at: now })
    .where('id', '=', id)
    .where('revoked_at', 'is', null)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

const countCertificate = compiled<unknown, [step: number, id: string, quota: number]>((db) =>
  db
    .updateTable('acme_eab_key')
    .set((e) => ({ certificates: e('certificates', '+', 1) }))
    .where('id', '=', '')
    .where('certificates', '<', 0),
);

/** Counts one more certificate under the key; false when `quota` is used up. */
export async function spendEabQuota(tx: Db, id: string, quota: number | undefined): Promise<boolean> {
  const { numAffectedRows = 0n } = await countCertificate(tx, [1, id, quota ?? Number.MAX_SAFE_INTEGER]);
  return numAffectedRows > 0n;
}
