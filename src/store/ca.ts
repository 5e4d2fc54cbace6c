import { anyRow, compiled, valuesOf } from './compiled.ts';
import type { Db } from './store.ts';

export type AuthorityKind = 'root' | 'intermediate';
/** `active` signs; `retired` signs no certificates any more, but still revocation lists. */
export type AuthorityState = 'active' | 'retired';

export interface AuthorityRow {
  readonly id: string;
  readonly slot: string;
  readonly kind: AuthorityKind;
  readonly parent_id: string | null;
  readonly certificate: Uint8Array;
  readonly state: AuthorityState;
  readonly created_at: number;
  readonly not_after: number;
}

export interface CertificateRow {
  /** Hexadecimal, lower case, without leading zeros of DER. */
  readonly serial: string;
  readonly authority_id: string;
  readonly profile_id: string | null;
  readonly account_id: string | null;
  readonly order_id: string | null;
  readonly spki_hash: string;
  /** JSON: names in the order of the certificate. */
  readonly names: string;
  readonly certificate: Uint8Array;
  readonly not_before: number;
  readonly not_after: number;
  readonly revoked_at: number | null;
  /** CRLReason (RFC 5280 §5.3.1). */
  readonly reason: number | null;
  /** Order that replaces it (RFC 9773 §5). */
  readonly replaced_by: string | null;
}

export interface CrlRow {
  readonly authority_id: string;
  readonly partition: number;
  readonly number: number;
  readonly crl: Uint8Array;
  readonly this_update: number;
  readonly next_update: number;
}

export interface CaTables {
  ca_authority: AuthorityRow;
  ca_certificate: CertificateRow;
  ca_crl: CrlRow;
}

/** False when its slot is taken. */
export async function insertAuthority(tx: Db, row: AuthorityRow): Promise<boolean> {
  const { numInsertedOrUpdatedRows = 0n } = await tx
    .insertInto('ca_authority')
    .values(row)
    .onConflict((conflict) => conflict.column('slot').doNothing())
    .executeTakeFirst();
  return numInsertedOrUpdatedRows > 0n;
}

export const listAuthorities = (db: Db): Promise<AuthorityRow[]> =>
  db.selectFrom('ca_authority').selectAll().orderBy('created_at').orderBy('id').execute();

export async function setAuthorityState(tx: Db, id: string, state: AuthorityState): Promise<void> {
  await tx.updateTable('ca_authority').set({ state }).where('id', '=', id).execute();
}

const COLUMNS = [
  'serial',
  'authority_id',
  'profile_id',
  'account_id',
  'order_id',
  'spki_hash',
  'names',
  'certificate',
  'not_before',
  'not_after',
  'revoked_at',
  'reason',
  'replaced_by',
] as const satisfies readonly (keyof CertificateRow)[];
const insert = compiled((db) => db.insertInto('ca_certificate').values(anyRow<CertificateRow>(COLUMNS)));
const bySerial = compiled<CertificateRow, [serial: string]>((db) =>
  db.selectFrom('ca_certificate').selectAll().where('serial', '=', ''),
);

export async function insertCertificate(tx: Db, row: CertificateRow): Promise<void> {
  await insert(tx, valuesOf(COLUMNS, row));
}

export const findCertificate = async (db: Db, serial: string): Promise<CertificateRow | undefined> =>
  (await bySerial(db, [serial])).rows[0];

/** Whether this call revoked it; false when it was revoked before. */
export async function markRevoked(tx: Db, serial: string, reason: number, now: number): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('ca_certificate')
    .set({ revoked_at: now, reason })
    .where('serial', '=', serial)
    .where('revoked_at', 'is', null)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

export async function upsertCrl(tx: Db, row: CrlRow): Promise<void> {
  const { crl, number, this_update, next_update } = row;
  await tx
    .insertInto('ca_crl')
    .values(row)
    .onConflict((conflict) =>
      conflict
        .columns(['authority_id', 'partition'])
        .doUpdateSet({ crl, number, this_update, next_update })
        .where('ca_crl.number', '<', number),
    )
    .execute();
}

export const findCrl = (db: Db, authorityId: string, partition: number): Promise<CrlRow | undefined> =>
  db
    .selectFrom('ca_crl')
    .selectAll()
    .where('authority_id', '=', authorityId)
    .where('partition', '=', partition)
    .executeTakeFirst();

/** When the lists of an authority were made. */
export const listsOf = (db: Db, authorityId: string): Promise<Pick<CrlRow, 'partition' | 'this_update'>[]> =>
  db.selectFrom('ca_crl').select(['partition', 'this_update']).where('authority_id', '=', authorityId).execute();

/** When the oldest list of each authority was made. */
export async function oldestLists(db: Db): Promise<{ authority_id: string; this_update: number }[]> {
  const rows = await db
    .selectFrom('ca_crl')
    .select(['authority_id', (e) => e.fn.min('this_update').as('this_update')])
    .groupBy('authority_id')
    .orderBy('authority_id')
    .execute();
  return rows.map((row) => ({ ...row, this_update: Number(row.this_update) }));
}

/** Notes the order that replaces a certificate, in the place of `before`; false when another one was quicker. */
export async function claimReplacedBy(
  tx: Db,
  serial: string,
  orderId: string,
  before: string | null,
): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('ca_certificate')
    .set({ replaced_by: orderId })
    .where('serial', '=', serial)
    .where('replaced_by', before === null ? 'is' : '=', before)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

const compromised = compiled<{ serial: string }, [spkiHash: string, reason: number]>((db) =>
  db.selectFrom('ca_certificate').select('serial').where('spki_hash', '=', '').where('reason', '=', 0),
);

/** Whether a certificate with this key was revoked because the key was compromised (RFC 5280 §5.3.1, reason 1). */
export const isCompromisedKey = async (db: Db, spkiHash: string): Promise<boolean> =>
  (await compromised(db, [spkiHash, 1])).rows.length > 0;

/** Revoked certificates of a partition (the last hexadecimal digit of the serial number) that end after `after`. */
export function listRevoked(
  db: Db,
  authorityId: string,
  partition: number,
  after: number,
): Promise<Pick<CertificateRow, 'serial' | 'revoked_at' | 'reason'>[]> {
  return db
    .selectFrom('ca_certificate')
    .select(['serial', 'revoked_at', 'reason'])
    .where('authority_id', '=', authorityId)
    .where('revoked_at', 'is not', null)
    .where('not_after', '>', after)
    .where('serial', 'like', `%${partition.toString(16)}`)
    .orderBy('serial')
    .execute();
}

/** Whether a certificate of a partition was revoked at that time or later. */
export async function isRevokedSince(db: Db, authorityId: string, partition: number, since: number): Promise<boolean> {
  const row = await db
    .selectFrom('ca_certificate')
    .select('serial')
    .where('authority_id', '=', authorityId)
    .where('revoked_at', '>=', since)
    .where('serial', 'like', `%${partition.toString(16)}`)
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}
