import type { Db } from './store.ts';

export interface IssuerAccountTables {
  /** Our account at an issuer: one each. */
  issuer_account: {
    issuer_id: string;
    /** The directory it was registered at; another directory needs another account. */
    directory: string;
    /** The account's URL, which is the `kid` of its requests (RFC 8555 §6.2). */
    url: string;
    key_path: string;
    /** The new key while a rollover is under way (RFC 8555 §7.3.5), so that a crash in between loses neither. */
    next_key_path: string | null;
    /** RFC 7638. */
    thumbprint: string;
    /** JSON: what the CA was told last. */
    contact: string;
    terms_url: string | null;
    terms_agreed_at: number | null;
    created_at: number;
    updated_at: number;
  };
}

export type IssuerAccountRow = IssuerAccountTables['issuer_account'];

export async function accountOfIssuer(db: Db, issuerId: string): Promise<IssuerAccountRow | undefined> {
  return db.selectFrom('issuer_account').selectAll().where('issuer_id', '=', issuerId).executeTakeFirst();
}

/** Where the account with this URL was registered; undefined when it is no account of ours. */
export async function directoryOfAccount(db: Db, url: string): Promise<string | undefined> {
  const row = await db.selectFrom('issuer_account').select('directory').where('url', '=', url).executeTakeFirst();
  return row?.directory;
}

export async function listAccounts(db: Db): Promise<IssuerAccountRow[]> {
  return db.selectFrom('issuer_account').selectAll().orderBy('issuer_id').execute();
}

export async function putAccount(tx: Db, row: IssuerAccountRow): Promise<void> {
  const { issuer_id: _, created_at: __, ...rest } = row;
  await tx
    .insertInto('issuer_account')
    .values(row)
    .onConflict((conflict) => conflict.column('issuer_id').doUpdateSet(rest))
    .execute();
}

export async function deleteAccount(tx: Db, issuerId: string): Promise<void> {
  await tx.deleteFrom('issuer_account').where('issuer_id', '=', issuerId).execute();
}
