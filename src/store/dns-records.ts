import type { Db } from './store.ts';

/** `planned`: about to be written, or written when we were killed. `present`: written. `leaving`: to be removed. */
export type DnsRecordState = 'planned' | 'present' | 'leaving';

export interface DnsRecordTables {
  /** TXT records of ours at DNS providers. A row is there before its record is, and goes after its record is gone. */
  dns_record: {
    id: string;
    /** The presentation that it belongs to. */
    presentation_id: string;
    /** Who wants it: `name:<name>` for one challenge; `persist:<name>` for as long as certificates need it. */
    owner: string;
    credential_id: string;
    /** The zone as the provider names it. */
    zone: string;
    zone_ref: string;
    /** Where the record is, after delegation by CNAME. */
    name: string;
    /** The name that the CA asks for. */
    asked_name: string;
    value: string;
    /** The provider's own id of the record, where it has one. */
    provider_ref: string | null;
    state: DnsRecordState;
    attempts: number;
    /** When it is removed if nobody has done so: its process may have been killed. One that stays is looked at then. */
    due_at: number;
    problem: string | null;
    created_at: number;
  };
}

export type DnsRecordRow = DnsRecordTables['dns_record'];

export async function insertDnsRecords(tx: Db, rows: readonly DnsRecordRow[]): Promise<void> {
  if (rows.length > 0)
    await tx
      .insertInto('dns_record')
      .values([...rows])
      .execute();
}

export async function dnsRecordsOf(db: Db, presentationId: string): Promise<DnsRecordRow[]> {
  return db.selectFrom('dns_record').selectAll().where('presentation_id', '=', presentationId).orderBy('id').execute();
}

export async function dnsRecordsOfOwner(db: Db, owner: string): Promise<DnsRecordRow[]> {
  return db.selectFrom('dns_record').selectAll().where('owner', '=', owner).orderBy('id').execute();
}

export async function dnsRecordsDue(db: Db, now: number, limit: number): Promise<DnsRecordRow[]> {
  return db.selectFrom('dns_record').selectAll().where('due_at', '<=', now).orderBy('due_at').limit(limit).execute();
}

export async function nextDnsRecordDue(db: Db): Promise<number | undefined> {
  const row = await db.selectFrom('dns_record').select('due_at').orderBy('due_at').limit(1).executeTakeFirst();
  return row?.due_at;
}

/** Whether another row wants the same value at the same place, so that the record must stay. */
export async function dnsRecordIsShared(db: Db, row: DnsRecordRow): Promise<boolean> {
  const other = await db
    .selectFrom('dns_record')
    .select('id')
    .where('name', '=', row.name)
    .where('value', '=', row.value)
    .where('id', '!=', row.id)
    .where('state', '!=', 'leaving')
    .executeTakeFirst();
  return other !== undefined;
}

export async function countDnsRecordsOfCredential(db: Db, credentialId: string): Promise<number> {
  const row = await db
    .selectFrom('dns_record')
    .select((e) => e.fn.countAll<number>().as('count'))
    .where('credential_id', '=', credentialId)
    .executeTakeFirst();
  return Number(row?.count ?? 0);
}

export async function updateDnsRecord(tx: Db, id: string, change: Partial<DnsRecordRow>): Promise<void> {
  await tx.updateTable('dns_record').set(change).where('id', '=', id).execute();
}

export async function deleteDnsRecord(tx: Db, id: string): Promise<void> {
  await tx.deleteFrom('dns_record').where('id', '=', id).execute();
}
