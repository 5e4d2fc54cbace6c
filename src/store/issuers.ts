import { compiled } from './compiled.ts';
import type { Db } from './store.ts';

export interface IssuerTables {
  issuer: {
    /** A word that people use: `letsencrypt-prod`, `internal-ca`, or their own. */
    id: string;
    /** URL of the ACME directory (RFC 8555 §7.1.1). */
    directory: string;
    /** PEM of the roots that the directory's own HTTPS is checked with; null for the usual ones. */
    ca_pem: string | null;
    /** JSON: `mailto:` URLs. */
    contact: string;
    /** External account binding (RFC 8555 §7.3.4); the HMAC key rests in the secret store under `issuers/<id>/eab`. */
    eab_kid: string | null;
    /** Common name of the issuer at the chain's end that is preferred among alternates (RFC 8555 §7.4.2). */
    preferred_chain: string | null;
    /** Default ACME profile of its orders. */
    profile: string | null;
    /** 1: its certificates are for trying out, and never count for production. */
    staging: number;
    built_in: number;
    /** JSON of `Limit[]` that are counted here before they are hit; null for none. */
    limits: string | null;
    /** Not asked before this time (its Retry-After, or its pause after failures). */
    hold_until: number | null;
    hold_problem: string | null;
    created_at: number;
    updated_at: number;
  };
}

export type IssuerRow = IssuerTables['issuer'];

export async function issuerById(db: Db, id: string): Promise<IssuerRow | undefined> {
  return db.selectFrom('issuer').selectAll().where('id', '=', id).executeTakeFirst();
}

const all = compiled<IssuerRow, []>((db) => db.selectFrom('issuer').selectAll().orderBy('id'));

/** All of them, in order of id: there are a handful. */
export const listIssuers = async (db: Db): Promise<IssuerRow[]> => (await all(db, [])).rows;

/** Adds it, or replaces what it says; its hold stays. */
export async function putIssuer(tx: Db, row: IssuerRow): Promise<void> {
  const { id: _, created_at: __, hold_until: ___, hold_problem: ____, ...rest } = row;
  await tx
    .insertInto('issuer')
    .values(row)
    .onConflict((conflict) => conflict.column('id').doUpdateSet(rest))
    .execute();
}

export async function holdIssuer(tx: Db, id: string, until: number | null, problem: string | null): Promise<void> {
  await tx.updateTable('issuer').set({ hold_until: until, hold_problem: problem }).where('id', '=', id).execute();
}

export async function deleteIssuer(tx: Db, id: string): Promise<void> {
  await tx.deleteFrom('issuer_account').where('issuer_id', '=', id).execute();
  await tx.deleteFrom('issuer').where('id', '=', id).execute();
}
