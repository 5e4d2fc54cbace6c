import type { Db } from './store.ts';

export interface TokenTables {
  /** `hash`: SHA-256 of the token in hex; the token itself is shown once and kept nowhere. */
  api_token: {
    id: string;
    name: string;
    hash: string;
    /** JSON: permission names. */
    permissions: string;
    /** JSON: app ids it is limited to; null for all. */
    apps: string | null;
    created_by: string;
    /** Whose it is, when it was made for somebody else than its maker. */
    belongs_to: string | null;
    /** JSON: names for the person that made it, where the chain of tokens cannot tell them. */
    maker_persons: string | null;
    created_at: number;
    expires_at: number | null;
    last_used_at: number | null;
    revoked_at: number | null;
  };
  /** A console's sign-in. `token_id` is null when an OpenID provider vouched for `subject`. */
  session: {
    hash: string;
    token_id: string | null;
    subject: string;
    permissions: string;
    apps: string | null;
    /** JSON: names for the person that a provider vouched for. */
    persons: string | null;
    created_at: number;
    expires_at: number;
  };
}

export type TokenRow = TokenTables['api_token'];
export type SessionRow = TokenTables['session'];

export async function tokenByHash(db: Db, hash: string): Promise<TokenRow | undefined> {
  return db.selectFrom('api_token').selectAll().where('hash', '=', hash).executeTakeFirst();
}

export async function tokenById(db: Db, id: string): Promise<TokenRow | undefined> {
  return db.selectFrom('api_token').selectAll().where('id', '=', id).executeTakeFirst();
}

export async function tokensByIds(db: Db, ids: readonly string[]): Promise<TokenRow[]> {
  return ids.length === 0 ? [] : db.selectFrom('api_token').selectAll().where('id', 'in', ids).execute();
}

export async function insertToken(tx: Db, row: TokenRow): Promise<void> {
  await tx.insertInto('api_token').values(row).execute();
}

/** Its sessions end with it. */
export async function revokeToken(tx: Db, id: string, now: number): Promise<void> {
  await tx.updateTable('api_token').set({ revoked_at: now }).where('id', '=', id).execute();
  await tx.deleteFrom('session').where('token_id', '=', id).execute();
}

export async function noteTokenUse(tx: Db, id: string, now: number): Promise<void> {
  await tx.updateTable('api_token').set({ last_used_at: now }).where('id', '=', id).execute();
}

/** Newest first; ids sort by creation. */
export async function listTokens(db: Db, page: { before?: string; limit: number }): Promise<TokenRow[]> {
  let query = db.selectFrom('api_token').selectAll().orderBy('id', 'desc').limit(page.limit);
  if (page.before !== undefined) query = query.where('id', '<', page.before);
  return query.execute();
}

export async function insertSession(tx: Db, row: SessionRow): Promise<void> {
  await tx.insertInto('session').values(row).execute();
}

export async function sessionByHash(db: Db, hash: string): Promise<SessionRow | undefined> {
  return db.selectFrom('session').selectAll().where('hash', '=', hash).executeTakeFirst();
}

export async function deleteSession(tx: Db, hash: string): Promise<void> {
  await tx.deleteFrom('session').where('hash', '=', hash).execute();
}

export async function deleteExpiredSessions(tx: Db, now: number): Promise<void> {
  await tx.deleteFrom('session').where('expires_at', '<=', now).execute();
}
