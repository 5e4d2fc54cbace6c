import type { Db } from './store.ts';

/** What the last proof of a credential found. */
export type CredentialValidation = 'unproven' | 'valid' | 'failed';

export interface DnsCredentialTables {
  dns_credential: {
    id: string;
    name: string;
    provider: string;
    /** JSON: zones it is bound to; empty for all that it can see. */
    zones: string;
    /** JSON: zones that its last proof saw; null where the provider cannot list them. */
    seen_zones: string | null;
    validation: CredentialValidation;
    validated_at: number | null;
    /** How it was proved, or why that failed, in words. */
    validation_detail: string | null;
    created_at: number;
    updated_at: number;
  };
}

export type DnsCredentialRow = DnsCredentialTables['dns_credential'];

export async function insertDnsCredential(tx: Db, row: DnsCredentialRow): Promise<void> {
  await tx.insertInto('dns_credential').values(row).execute();
}

export async function dnsCredentialById(db: Db, id: string): Promise<DnsCredentialRow | undefined> {
  return db.selectFrom('dns_credential').selectAll().where('id', '=', id).executeTakeFirst();
}

export async function dnsCredentialByName(db: Db, name: string): Promise<DnsCredentialRow | undefined> {
  return db.selectFrom('dns_credential').selectAll().where('name', '=', name).executeTakeFirst();
}

/** All of them, oldest first: people make a handful. */
export async function listDnsCredentials(db: Db): Promise<DnsCredentialRow[]> {
  return db.selectFrom('dns_credential').selectAll().orderBy('id').execute();
}

export async function updateDnsCredential(
  tx: Db,
  id: string,
  change: Partial<DnsCredentialRow>,
  now: number,
): Promise<void> {
  await tx
    .updateTable('dns_credential')
    .set({ ...change, updated_at: now })
    .where('id', '=', id)
    .execute();
}

export async function deleteDnsCredential(tx: Db, id: string): Promise<void> {
  await tx.deleteFrom('dns_credential').where('id', '=', id).execute();
}
