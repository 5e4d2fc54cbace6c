import type { KeyType } from '../x509/index.ts';
import { anyRow, compiled, valuesOf } from './compiled.ts';
import type { Db } from './store.ts';

export interface CertificateVersionTables {
  /** One issued chain and key. */
  certificate_version: {
    id: string;
    certificate_id: string;
    /** Null for an imported one. */
    issuer_id: string | null;
    /** Common name of the leaf's issuer. */
    issuer_name: string;
    staging: number;
    /** PEM, leaf first. */
    chain: string;
    /** Where in the secret store the key rests (PEM, PKCS #8). */
    key_path: string;
    key_type: KeyType;
    /** Hex SHA-256 of the SubjectPublicKeyInfo. */
    key_digest: string;
    /** Hex, as certificates print it. */
    serial: string;
    /** Hex SHA-256 of the leaf. */
    fingerprint: string;
    /** Identifier in renewal information (RFC 9773 §4.1); null when the leaf lacks an authority key identifier. */
    ari_id: string | null;
    profile: string | null;
    not_before: number;
    not_after: number;
    issued_at: number;
    revoked_at: number | null;
    /** RFC 5280 §5.3.1, in words: `key-compromise`. */
    revocation_reason: string | null;
    /** When its CA was told; null while that is still to be done. */
    revocation_told_at: number | null;
    /** How control was shown, so that its successor tries the same first. */
    challenge: string | null;
  };
}

export type CertificateVersionRow = CertificateVersionTables['certificate_version'];

const byId = compiled<CertificateVersionRow, [id: string]>((db) =>
  db.selectFrom('certificate_version').selectAll().where('id', '=', ''),
);

export async function versionById(db: Db, id: string): Promise<CertificateVersionRow | undefined> {
  return (await byId(db, [id])).rows[0];
}

const untold = compiled<{ id: string }, [certificateId: string, limit: number]>((db) =>
  db
    .selectFrom('certificate_version')
    .select('id')
    .where('certificate_id', '=', '')
    .where('revoked_at', 'is not', null)
    .where('revocation_told_at', 'is', null)
    .limit(1),
);

/** A revoked version whose CA has not been told yet. */
export const untoldRevocation = async (db: Db, certificateId: string): Promise<string | undefined> =>
  (await untold(db, [certificateId, 1])).rows[0]?.id;

/** Newest first. */
export async function versionsOf(db: Db, certificateId: string, limit = 100): Promise<CertificateVersionRow[]> {
  return db
    .selectFrom('certificate_version')
    .selectAll()
    .where('certificate_id', '=', certificateId)
    .orderBy('issued_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit)
    .execute();
}

const COLUMNS = [
  'id',
  'certificate_id',
  'issuer_id',
  'issuer_name',
  'staging',
  'chain',
  'key_path',
  'key_type',
  'key_digest',
  'serial',
  'fingerprint',
  'ari_id',
  'profile',
  'not_before',
  'not_after',
  'issued_at',
  'revoked_at',
  'revocation_reason',
  'revocation_told_at',
  'challenge',
] as const satisfies readonly (keyof CertificateVersionRow)[];
const insert = compiled((db) => db.insertInto('certificate_version').values(anyRow<CertificateVersionRow>(COLUMNS)));

export async function insertVersion(tx: Db, row: CertificateVersionRow): Promise<void> {
  await insert(tx, valuesOf(COLUMNS, row));
}

/** `told` says whether its CA knows already. */
export async function markRevoked(tx: Db, id: string, reason: string, now: number, told: boolean): Promise<void> {
  await tx
    .updateTable('certificate_version')
    .set({ revoked_at: now, revocation_reason: reason, ...(told && { revocation_told_at: now }) })
    .where('id', '=', id)
    .where('revoked_at', 'is', null)
    .execute();
}

/** Revoked as soon as a successor is served: until then `revoked_at` stays null. */
export async function wantRevoked(tx: Db, id: string, reason: string): Promise<void> {
  await tx.updateTable('certificate_version').set({ revocation_reason: reason }).where('id', '=', id).execute();
}

const replaced = compiled<unknown, [now: number, certificateId: string, servedId: string]>((db) =>
  db
    .updateTable('certificate_version')
    .set({ revoked_at: 0 })
    .where('certificate_id', '=', '')
    .where('id', '!=', '')
    .where('revocation_reason', 'is not', null)
    .where('revoked_at', 'is', null),
);

/** A successor is served: what was wanted revoked is. */
export async function revokeReplaced(tx: Db, certificateId: string, servedId: string, now: number): Promise<void> {
  await replaced(tx, [now, certificateId, servedId]);
}

/** Unexpired, unrevoked versions that fit, with what their certificates say, oldest first. */
export async function versionsToRevoke(
  db: Db,
  filter: { issuerId?: string; keyDigest?: string; issuedFrom?: number; issuedUntil?: number },
  now: number,
) {
  let query = db
    .selectFrom('certificate_version')
    .innerJoin('certificate', 'certificate.id', 'certificate_version.certificate_id')
    .selectAll('certificate_version')
    .select(['certificate.names', 'certificate.served_version_id', 'certificate.unreferenced_at', 'certificate.kind'])
    .where('certificate_version.not_after', '>', now)
    .where('certificate_version.revoked_at', 'is', null)
    .orderBy('certificate_version.issued_at');
  if (filter.issuerId !== undefined) query = query.where('certificate_version.issuer_id', '=', filter.issuerId);
  if (filter.keyDigest !== undefined) query = query.where('certificate_version.key_digest', '=', filter.keyDigest);
  if (filter.issuedFrom !== undefined) query = query.where('certificate_version.issued_at', '>=', filter.issuedFrom);
  if (filter.issuedUntil !== undefined) query = query.where('certificate_version.issued_at', '<', filter.issuedUntil);
  return query.execute();
}

export async function markRevocationTold(tx: Db, id: string, now: number): Promise<void> {
  await tx.updateTable('certificate_version').set({ revocation_told_at: now }).where('id', '=', id).execute();
}

const byIssuer = compiled<{ id: string }, [certificateId: string, issuerId: string, limit: number]>((db) =>
  db
    .selectFrom('certificate_version')
    .select('id')
    .where('certificate_id', '=', '')
    .where('issuer_id', '=', '')
    .limit(1),
);

/** Whether this issuer has issued for the certificate, as far as versions are kept. */
export const issuedBefore = async (db: Db, certificateId: string, issuerId: string): Promise<boolean> =>
  (await byIssuer(db, [certificateId, issuerId, 1])).rows.length > 0;

const ended = compiled<{ key_path: string }, [certificateId: string, before: number, servedId: string]>((db) =>
  db
    .deleteFrom('certificate_version')
    .where('certificate_id', '=', '')
    .where('not_after', '<', 0)
    .where('id', '!=', '')
    .returning('key_path'),
);

/** Removes versions of a certificate that ended before a time and are not served; answers where their keys rest. */
export const removeEnded = async (
  tx: Db,
  certificateId: string,
  before: number,
  servedId: string,
): Promise<{ key_path: string }[]> => (await ended(tx, [certificateId, before, servedId])).rows;

/** The version that a certificate is served with: in every status but `revoked`, and also past its expiry. */
export async function servedVersion(db: Db, certificateId: string): Promise<CertificateVersionRow | undefined> {
  return db
    .selectFrom('certificate')
    .innerJoin('certificate_version', 'certificate_version.id', 'certificate.served_version_id')
    .selectAll('certificate_version')
    .where('certificate.id', '=', certificateId)
    .executeTakeFirst();
}

export interface ServedRow extends CertificateVersionRow {
  /** JSON: sorted names of the wish. */
  readonly names: string;
}

/** Everything that is served, in order of certificate id, those after `after`. */
export async function listServed(db: Db, page: { after?: string; limit: number }): Promise<ServedRow[]> {
  let query = db
    .selectFrom('certificate')
    .innerJoin('certificate_version', 'certificate_version.id', 'certificate.served_version_id')
    .selectAll('certificate_version')
    .select('certificate.names')
    .orderBy('certificate.id')
    .limit(page.limit);
  if (page.after !== undefined) query = query.where('certificate.id', '>', page.after);
  return query.execute();
}
