import { atOnce } from './at-once.ts';
import { anyRow, compiled, valuesOf } from './compiled.ts';
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

const COLUMNS = [
  'id',
  'profile_id',
  'account_id',
  'identifier',
  'wildcard',
  'state',
  'challenges',
  'created_at',
  'expires_at',
  'processing_since',
] as const satisfies readonly (keyof AcmeAuthorizationRow)[];
const insert = compiled((db) => db.insertInto('acme_authorization').values(anyRow<AcmeAuthorizationRow>(COLUMNS)));
const byId = compiled<AcmeAuthorizationRow, [id: string]>((db) =>
  db.selectFrom('acme_authorization').selectAll().where('id', '=', ''),
);
const reusable = compiled<
  AcmeAuthorizationRow,
  [accountId: string, identifier: string, state: AuthorizationState, until: number]
>((db) =>
  db
    .selectFrom('acme_authorization')
    .selectAll()
    .where('account_id', '=', '')
    .where('identifier', '=', '')
    .where('state', '=', 'valid')
    .where('expires_at', '>', 0)
    .orderBy('expires_at', 'desc'),
);
type Values = Pick<AcmeAuthorizationRow, 'state' | 'challenges' | 'expires_at' | 'processing_since'>;
const move = compiled<
  unknown,
  [state: string, challenges: string, expires: number, since: number | null, id: string, from: AuthorizationState]
>((db) =>
  db
    .updateTable('acme_authorization')
    .set({ state: 'valid', challenges: '', expires_at: 0, processing_since: 0 })
    .where('id', '=', '')
    .where('state', '=', 'pending'),
);
const claim = compiled<unknown, [since: number, challenges: string, id: string, from: AuthorizationState]>((db) =>
  db
    .updateTable('acme_authorization')
    .set({ processing_since: 0, challenges: '' })
    .where('id', '=', '')
    .where('state', '=', 'pending')
    .where('processing_since', 'is', null),
);

export async function insertAuthorizations(tx: Db, rows: readonly AcmeAuthorizationRow[]): Promise<void> {
  await atOnce(...rows.map((row) => insert(tx, valuesOf(COLUMNS, row))));
}

export const findAuthorization = async (db: Db, id: string): Promise<AcmeAuthorizationRow | undefined> =>
  (await byId(db, [id])).rows[0];

/** In the order of `ids`; undefined where there is none any more. */
export const findAuthorizations = (db: Db, ids: readonly string[]): Promise<(AcmeAuthorizationRow | undefined)[]> =>
  Promise.all(ids.map((id) => findAuthorization(db, id)));

/** Valid authorizations of the account for the identifiers, still good at `until`; of one identifier the longest first. */
export async function findReusable(
  db: Db,
  accountId: string,
  identifiers: readonly string[],
  until: number,
): Promise<AcmeAuthorizationRow[]> {
  const found = await Promise.all(
    [...new Set(identifiers)].map((identifier) => reusable(db, [accountId, identifier, 'valid', until])),
  );
  return found.flatMap(({ rows }) => rows);
}

/** Moves `row` on to `values` unless its state is another by now; false then. */
export async function moveAuthorization(tx: Db, row: AcmeAuthorizationRow, values: Partial<Values>): Promise<boolean> {
  const { state, challenges, expires_at, processing_since } = { ...row, ...values };
  const { numAffectedRows = 0n } = await move(tx, [state, challenges, expires_at, processing_since, row.id, row.state]);
  return numAffectedRows > 0n;
}

/** Marks a pending authorization as being validated; false when it is already, or is no longer pending. */
export async function claimValidation(tx: Db, id: string, challenges: string, now: number): Promise<boolean> {
  const { numAffectedRows = 0n } = await claim(tx, [now, challenges, id, 'pending']);
  return numAffectedRows > 0n;
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
