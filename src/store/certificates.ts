import type { Party } from '../base/index.ts';
import type { KeyType } from '../x509/index.ts';
import { anyRow, compiled } from './compiled.ts';
import type { Db } from './store.ts';

/** What a certificate's wish is doing; what is *served* is apart from it. */
export const CERTIFICATE_STATUSES = [
  'pending',
  'issuing',
  'valid',
  'renewing',
  'failed',
  'revoked',
  'expired',
] as const;
export type CertificateStatus = (typeof CERTIFICATE_STATUSES)[number];

/** `acme`: issued and renewed here. `imported`: somebody brought chain and key. */
export type CertificateKind = 'acme' | 'imported';

/** How control of the names is shown: chosen here, or always one type. */
export type ChallengeChoice = 'auto' | 'http-01' | 'tls-alpn-01' | 'dns-01' | 'dns-account-01' | 'dns-persist-01';

/** Whose failing it is, which decides how long the next attempt waits. */
export const FAILURE_CLASSES = ['ours', 'dns', 'reachability', 'refused', 'ca-down', 'rate-limit', 'policy'] as const;
export type FailureClass = (typeof FAILURE_CLASSES)[number];

/** The last thing that went wrong, as people read it. */
export interface CertificateProblem {
  readonly class: FailureClass;
  /** A fault's code, or the problem's URN as the CA sent it. */
  readonly code: string;
  readonly detail: string;
  readonly party: Party;
  /** What a person can do about it. */
  readonly advice?: string;
  readonly at: number;
  /** No attempt before this time, unless a person says so. */
  readonly retryAt: number;
  /** No attempt before this time by the issuer's own word. */
  readonly notBefore?: number;
  readonly issuerId?: string;
  /** One for each name that failed, in the CA's words. */
  readonly subproblems?: readonly { readonly name?: string; readonly code: string; readonly detail: string }[];
}

export interface CertificateTables {
  certificate: {
    id: string;
    /** Digest of names, issuers, key type and profile: the same wish twice is one row. */
    identity: string;
    kind: CertificateKind;
    /** JSON: sorted names. */
    names: string;
    /** JSON: issuer ids in order of preference. */
    issuers: string;
    key_type: KeyType;
    /** 1: a renewal keeps the key. */
    reuse_key: number;
    challenge: ChallengeChoice;
    dns_credential_id: string | null;
    profile: string | null;
    status: CertificateStatus;
    /** The version that is served; null when there is none, or when it was revoked. */
    served_version_id: string | null;
    /** JSON of `CertificateProblem`; null once an attempt went well. */
    problem: string | null;
    /** Attempts since the last one that went well. */
    attempts: number;
    /** When the engine looks at it next; null when there is nothing to do. */
    next_attempt_at: number | null;
    /** When its renewal is due, and why then, in words. */
    renew_at: number | null;
    renew_reason: string | null;
    /** JSON: the CA's last answer about renewal (RFC 9773). */
    renewal_info: string | null;
    /** JSON: the order under way, so that it is resumed and never made twice. */
    open_order: string | null;
    /** What was asked for and is not got yet: `renew`, `now` where a person waits, or `replace` after a revocation. */
    wanted: 'renew' | 'now' | 'replace' | null;
    /** 1: something was asked for while a step was under way, so it is due again as soon as that ends. */
    asked_again: number;
    /** Since when nothing refers to it; it is no longer renewed, and removed after a grace time. */
    unreferenced_at: number | null;
    lease_holder: string | null;
    /** Counts up with every lease; a write under an older one changes nothing. */
    lease_token: number;
    lease_until: number;
    created_at: number;
    updated_at: number;
  };
  certificate_name: { name: string; certificate_id: string };
  /** What keeps a certificate alive: `domain:<id>`, `exposure:<id>`, `file:<name>`, `person:<token>`. */
  certificate_reference: { certificate_id: string; reference: string; created_at: number };
}

export type CertificateRow = CertificateTables['certificate'];

const byId = compiled<CertificateRow, [id: string]>((db) =>
  db.selectFrom('certificate').selectAll().where('id', '=', ''),
);

export async function certificateById(db: Db, id: string): Promise<CertificateRow | undefined> {
  return (await byId(db, [id])).rows[0];
}

export async function certificateByIdentity(db: Db, identity: string): Promise<CertificateRow | undefined> {
  return db.selectFrom('certificate').selectAll().where('identity', '=', identity).executeTakeFirst();
}

/** Those that carry exactly this name, wildcards as they are written. */
export async function certificatesByName(db: Db, name: string): Promise<CertificateRow[]> {
  return db
    .selectFrom('certificate_name')
    .innerJoin('certificate', 'certificate.id', 'certificate_name.certificate_id')
    .selectAll('certificate')
    .where('certificate_name.name', '=', name)
    .orderBy('certificate.id')
    .execute();
}

/** Those of the names that a certificate proves by this challenge: it was told to, or did so last time. */
export async function namesProvenBy(db: Db, challenge: ChallengeChoice, names: readonly string[]): Promise<string[]> {
  const rows = await db
    .selectFrom('certificate_name')
    .innerJoin('certificate', 'certificate.id', 'certificate_name.certificate_id')
    .leftJoin('certificate_version', 'certificate_version.id', 'certificate.served_version_id')
    .select('certificate_name.name')
    .distinct()
    .where('certificate_name.name', 'in', [...names])
    .where('certificate.kind', '=', 'acme')
    .where((e) =>
      e.or([
        e('certificate.challenge', '=', challenge),
        e.and([e('certificate.challenge', '=', 'auto'), e('certificate_version.challenge', '=', challenge)]),
      ]),
    )
    .execute();
  return rows.map(({ name }) => name);
}

export async function insertCertificate(tx: Db, row: CertificateRow): Promise<void> {
  await tx.insertInto('certificate').values(row).execute();
  const names = JSON.parse(row.names) as string[];
  await tx
    .insertInto('certificate_name')
    .values(names.map((name) => ({ name, certificate_id: row.id })))
    .execute();
}

type Update = (tx: Db, parameters: unknown[]) => Promise<{ readonly numAffectedRows?: bigint }>;

// One text for each set of columns that is ever changed together: a few dozen.
const updates = new Map<string, Update>();
type Column = keyof CertificateRow;

function updateOf(columns: readonly Column[], underLease: boolean): Update {
  const key = `${columns.join()} ${underLease}`;
  let update = updates.get(key);
  if (update === undefined) {
    update = compiled<unknown, unknown[]>((db) => {
      const query = db.updateTable('certificate').set(anyRow<CertificateRow>(columns)).where('id', '=', '');
      return underLease ? query.where('lease_token', '=', 0) : query;
    });
    updates.set(key, update);
  }
  return update;
}

/** Under a lease token, changes nothing and answers false when that lease has passed to another. */
export async function updateCertificate(
  tx: Db,
  id: string,
  change: Partial<CertificateRow>,
  now: number,
  leaseToken?: number,
): Promise<boolean> {
  const set: Partial<CertificateRow> = { ...change, updated_at: now };
  const columns = (Object.keys(set) as Column[]).filter((column) => set[column] !== undefined);
  const values = columns.map((column) => set[column]);
  const update = updateOf(columns, leaseToken !== undefined);
  const { numAffectedRows } = await update(tx, [...values, id, ...(leaseToken !== undefined ? [leaseToken] : [])]);
  return (numAffectedRows ?? 0n) > 0n;
}

/** Ends every lease; who held one finds at its next write that its token is old. Answers how many there were. */
export async function endAllLeases(tx: Db, now: number): Promise<number> {
  const { numUpdatedRows } = await tx
    .updateTable('certificate')
    .set((e) => ({
      lease_token: e('lease_token', '+', 1),
      lease_holder: null,
      lease_until: 0,
      next_attempt_at: now,
      updated_at: now,
    }))
    .where('lease_holder', 'is not', null)
    .executeTakeFirst();
  return Number(numUpdatedRows);
}

/** With its names, references, versions and events. */
export async function deleteCertificate(tx: Db, id: string): Promise<void> {
  await tx.deleteFrom('certificate').where('id', '=', id).execute();
}

export interface CertificateFilter {
  readonly statuses?: readonly CertificateStatus[];
  /** Whose served version this issuer made. */
  readonly issuer?: string;
  /** Carries a name that begins so. */
  readonly prefix?: string;
  /** Whose served version ends before this time. */
  readonly expiresBefore?: number;
  readonly ids?: readonly string[];
}

/** In order of id, which is the order of their making; those after the id `after`. */
export async function listCertificates(
  db: Db,
  filter: CertificateFilter,
  page: { after?: string; limit: number },
): Promise<CertificateRow[]> {
  let query = db.selectFrom('certificate').selectAll().orderBy('id').limit(page.limit);
  if (page.after !== undefined) query = query.where('id', '>', page.after);
  if (filter.statuses !== undefined) query = query.where('status', 'in', [...filter.statuses]);
  if (filter.ids !== undefined) query = query.where('id', 'in', [...filter.ids]);
  if (filter.prefix !== undefined)
    // Names are ASCII, and '~' sorts after every character of one.
    query = query.where('id', 'in', (e) =>
      e
        .selectFrom('certificate_name')
        .select('certificate_id')
        .where('name', '>=', filter.prefix!)
        .where('name', '<', `${filter.prefix}~`),
    );
  if (filter.issuer !== undefined || filter.expiresBefore !== undefined)
    query = query.where('served_version_id', 'in', (e) => {
      let versions = e.selectFrom('certificate_version').select('certificate_version.id');
      if (filter.issuer !== undefined) versions = versions.where('issuer_id', '=', filter.issuer);
      if (filter.expiresBefore !== undefined) versions = versions.where('not_after', '<', filter.expiresBefore);
      return versions;
    });
  return query.execute();
}

/** What is looked at of those that are due: rows are wide, and reading all of them costs ten times as much. */
export type DueCertificate = Pick<CertificateRow, 'id' | 'names' | 'issuers' | 'challenge' | 'dns_credential_id'>;

const due = compiled<DueCertificate, [now: number, limit: number]>((db) =>
  db
    .selectFrom('certificate')
    .select(['id', 'names', 'issuers', 'challenge', 'dns_credential_id'])
    .where('next_attempt_at', '<=', 0)
    .orderBy('next_attempt_at')
    .limit(1),
);

/** Those that are due, the longest due first. */
export const dueCertificates = async (db: Db, now: number, limit: number): Promise<DueCertificate[]> =>
  (await due(db, [now, limit])).rows;

const next = compiled<{ next_attempt_at: number | null }, [limit: number]>((db) =>
  db
    .selectFrom('certificate')
    .select('next_attempt_at')
    .where('next_attempt_at', 'is not', null)
    .orderBy('next_attempt_at')
    .limit(1),
);

/** When the next one is due. */
export const nextDue = async (db: Db): Promise<number | undefined> =>
  (await next(db, [1])).rows[0]?.next_attempt_at ?? undefined;

export async function countByStatus(db: Db): Promise<Partial<Record<CertificateStatus, number>>> {
  const rows = await db
    .selectFrom('certificate')
    .select(['status', (e) => e.fn.countAll<number>().as('count')])
    .groupBy('status')
    .execute();
  return Object.fromEntries(rows.map(({ status, count }) => [status, Number(count)]));
}

export async function addReference(tx: Db, certificateId: string, reference: string, now: number): Promise<void> {
  await tx
    .insertInto('certificate_reference')
    .values({ certificate_id: certificateId, reference, created_at: now })
    .onConflict((conflict) => conflict.columns(['reference', 'certificate_id']).doNothing())
    .execute();
}

/** Of one certificate, or of every one; answers the ids of those that lost it. */
export async function removeReference(tx: Db, reference: string, certificateId?: string): Promise<string[]> {
  let query = tx.deleteFrom('certificate_reference').where('reference', '=', reference);
  if (certificateId !== undefined) query = query.where('certificate_id', '=', certificateId);
  const rows = await query.returning('certificate_id').execute();
  return rows.map((row) => row.certificate_id);
}

/** Ids of those that it refers to. */
export async function certificatesOfReference(db: Db, reference: string): Promise<string[]> {
  const rows = await db
    .selectFrom('certificate_reference')
    .select('certificate_id')
    .where('reference', '=', reference)
    .execute();
  return rows.map(({ certificate_id }) => certificate_id);
}

/** Every reference that begins so, each once. */
export async function referencesThatBegin(db: Db, prefix: string): Promise<string[]> {
  const rows = await db
    .selectFrom('certificate_reference')
    .select('reference')
    .distinct()
    .where('reference', '>=', prefix)
    .where('reference', '<', `${prefix}\u{10ffff}`)
    .execute();
  return rows.map(({ reference }) => reference);
}

export async function referencesOf(db: Db, certificateId: string): Promise<string[]> {
  const rows = await db
    .selectFrom('certificate_reference')
    .select('reference')
    .where('certificate_id', '=', certificateId)
    .orderBy('reference')
    .execute();
  return rows.map(({ reference }) => reference);
}
