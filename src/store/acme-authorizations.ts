import type { Db } from './store.ts';

export type AuthorizationState = 'pending' | 'valid' | 'invalid' | 'deactivated' | 'revoked';

export interface AcmeAuthorizationRow {
  readonly id: string;
  readonly profile_id: string;
  readonly account_id: string;
  /** `dns:shop.example.com` or `ip:192.0.2.1`. */
  readonly identifier: string;
  readonly wildcard: number;
  readonly state: AuthorizationState;
  /** JSON; its shape is acme-server's `StoredChallenge[]`. */
  readonly challenges: string;
  readonly created_at: number;
  readonly expires_at: number;
  /** Since when a validation is under way; null when none is. */
  readonly processing_since: number | null;
}

export interface AcmeAuthorizationTables {
  acme_authorization: AcmeAuthorizationRow;
}

export async function insertAuthorizations(tx: Db, rows: readonly AcmeAuthorizationRow[]): Promise<void> {
  if (rows.length > 0)
    await tx
      .insertInto('acme_authorization')
      .values([...rows])
      .execute();
}

export const findAuthorization = (db: Db, id: string): Promise<AcmeAuthorizationRow | undefined> =>
  db.selectFrom('acme_authorization').selectAll().where('id', '=', id).executeTakeFirst();

export async function findAuthorizations(db: Db, ids: readonly string[]): Promise<AcmeAuthorizationRow[]> {
  if (ids.length === 0) return [];
  const rows = await db
    .selectFrom('acme_authorization')
    .selectAll()
    .where('id', 'in', [...ids])
    .execute();
  const byId = new Map(rows.map((row) => [row.id, row]));
  return ids.flatMap((id) => byId.get(id) ?? []);
}

/** Valid authorizations of the account for the identifiers, still good at `until`; the longest first. */
export function findReusable(
  db: Db,
  accountId: string,
  identifiers: readonly string[],
  until: number,
): Promise<AcmeAuthorizationRow[]> {
  return db
    .selectFrom('acme_authorization')
    .selectAll()
    .where('account_id', '=', accountId)
    .where('identifier', 'in', [...identifiers])
    .where('state', '=', 'valid')
    .where('expires_at', '>', until)
    .orderBy('expires_at', 'desc')
    .execute();
}

/** Moves an authorization on from `from`; false when it is somewhere else already. */
export async function moveAuthorization(
  tx: Db,
  id: string,
  from: AuthorizationState,
  values: Partial<Pick<AcmeAuthorizationRow, 'state' | 'challenges' | 'expires_at' | 'processing_since'>>,
): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('acme_authorization')
    .set(values)
    .where('id', '=', id)
    .where('state', '=', from)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** Marks a pending authorization as being validated; false when it is already, or is no longer pending. */
export async function claimValidation(tx: Db, id: string, challenges: string, now: number): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('acme_authorization')
    .set({ processing_since: now, challenges })
    .where('id', '=', id)
    .where('state', '=', 'pending')
    .where('processing_since', 'is', null)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** Validations begun before `before` whose replica did not bring them to an end. */
export function findStalledValidations(db: Db, before: number, limit: number): Promise<AcmeAuthorizationRow[]> {
  return db
    .selectFrom('acme_authorization')
    .selectAll()
    .where('processing_since', '<', before)
    .where('state', '=', 'pending')
    .limit(limit)
    .execute();
}
