import type { AccountStatus } from '../acme/index.ts';
import { compiled } from './compiled.ts';
import type { Db } from './store.ts';

export interface AcmeAccountRow {
  readonly id: string;
  readonly profile_id: string;
  /** RFC 7638 thumbprint of the account key. */
  readonly thumbprint: string;
  /** JSON: the public key. */
  readonly jwk: string;
  readonly status: AccountStatus;
  /** JSON: list of URIs. */
  readonly contact: string;
  readonly terms_agreed_at: number | null;
  /** URL of the terms that were agreed to. */
  readonly terms_url: string | null;
  readonly eab_key_id: string | null;
  readonly created_at: number;
}

export interface AcmeAccountTables {
  acme_account: AcmeAccountRow;
}

const byId = compiled<AcmeAccountRow, [id: string]>((db) =>
  db.selectFrom('acme_account').selectAll().where('id', '=', ''),
);

/** An account with what each of its requests is judged by: the version of its profile, and its EAB key. */
export interface AccountInPlace extends AcmeAccountRow {
  /** Null when the profile was deleted. */
  readonly profile_version: number | null;
  readonly profile_created_at: number | null;
  readonly eab_settings: string | null;
  readonly eab_expires_at: number | null;
  readonly eab_revoked_at: number | null;
}

const inPlace = compiled<AccountInPlace, [id: string]>((db) =>
  db
    .selectFrom('acme_account as account')
    .leftJoin('acme_profile as profile', 'profile.id', 'account.profile_id')
    .leftJoin('acme_eab_key as eab', 'eab.id', 'account.eab_key_id')
    .selectAll('account')
    .select(['profile.version as profile_version', 'profile.created_at as profile_created_at'])
    .select(['eab.settings as eab_settings', 'eab.expires_at as eab_expires_at', 'eab.revoked_at as eab_revoked_at'])
    .where('account.id', '=', ''),
);

/** Asked once by each signed request, so all of it is one question. */
export const findAccountInPlace = async (db: Db, id: string): Promise<AccountInPlace | undefined> =>
  (await inPlace(db, [id])).rows[0];

export const findAccount = async (db: Db, id: string): Promise<AcmeAccountRow | undefined> =>
  (await byId(db, [id])).rows[0];

export const findAccountByKey = (db: Db, profileId: string, thumbprint: string): Promise<AcmeAccountRow | undefined> =>
  db
    .selectFrom('acme_account')
    .selectAll()
    .where('profile_id', '=', profileId)
    .where('thumbprint', '=', thumbprint)
    .executeTakeFirst();

/** False when the profile has an account with this key already. */
export async function insertAccount(tx: Db, row: AcmeAccountRow): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await tx
    .insertInto('acme_account')
    .values(row)
    .onConflict((conflict) => conflict.columns(['profile_id', 'thumbprint']).doNothing())
    .executeTakeFirst();
  return (numInsertedOrUpdatedRows ?? 0n) > 0n;
}

export async function updateAccount(
  tx: Db,
  id: string,
  values: Partial<Pick<AcmeAccountRow, 'contact' | 'terms_agreed_at' | 'terms_url' | 'status'>>,
): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('acme_account')
    .set(values)
    .where('id', '=', id)
    .where('status', '=', 'valid')
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** Puts a new key in the place of the old one; false when the old one is not the account's key any more. */
export async function replaceAccountKey(
  tx: Db,
  id: string,
  from: string,
  to: { thumbprint: string; jwk: string },
): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('acme_account')
    .set(to)
    .where('id', '=', id)
    .where('thumbprint', '=', from)
    .where('status', '=', 'valid')
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

export function listAccounts(
  db: Db,
  filter: { profileId?: string },
  page: { after?: string; limit: number },
): Promise<AcmeAccountRow[]> {
  let query = db.selectFrom('acme_account').selectAll().orderBy('id').limit(page.limit);
  if (filter.profileId !== undefined) query = query.where('profile_id', '=', filter.profileId);
  if (page.after !== undefined) query = query.where('id', '>', page.after);
  return query.execute();
}
