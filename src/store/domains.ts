import type { CertificateStatus } from './certificates.ts';
import type { Db } from './store.ts';

/** `auto` is the app's own subdomain; `custom` was claimed by a request. */
export type DomainKind = 'auto' | 'custom';

/** What the last look at DNS found: `unknown` before the first, `local` where no DNS is needed (RFC 6761 §6.3). */
export type DnsState = 'unknown' | 'configured' | 'elsewhere' | 'missing' | 'unanswered' | 'local';

/** How an app showed that the name is its own. */
export type DomainProof = 'local' | 'txt' | 'cname' | 'address' | 'certificate';

export interface DomainTables {
  domain: {
    id: string;
    app_id: string;
    /** A-label form; exact, or with one wildcard label. A name is held by one app. */
    name: string;
    kind: DomainKind;
    /** 0 while a name is only being proved and certified, before its traffic moves. */
    routed: number;
    /** Requests are sent on to this name instead of the app's upstreams. */
    redirect_to: string | null;
    /** The wish that covers it; shared where a wildcard covers several. */
    certificate_id: string | null;
    /** JSON of what cert-manager says of its certificate, where that is left to a cluster. */
    delegated: string | null;
    /** JSON: issuer ids in order of preference; null for the default. */
    issuers: string | null;
    challenge: string | null;
    dns_credential_id: string | null;
    /** 1: its certificate is asked for when the first handshake asks for the name. */
    on_demand: number;
    /** When that was. */
    demanded_at: number | null;
    /** Why the last visitor who waited for it was sent away, in words. */
    demand_problem: string | null;
    proof: DomainProof | null;
    proved_at: number | null;
    /** When an unproved claim ends; null once proved. */
    lapses_at: number | null;
    /** Set when the claim has ended: no route, no certificate, and anybody may claim the name. */
    lapsed_at: number | null;
    dns_state: DnsState;
    /** JSON of the last look's report. */
    dns_report: string | null;
    looked_at: number | null;
    /** Looks since DNS last changed for the better; decides how long the next pause is. */
    looks: number;
    next_look_at: number | null;
    /** The state that webhooks were last told of. */
    announced: string | null;
    created_at: number;
    updated_at: number;
  };
}

export type DomainRow = DomainTables['domain'];

export async function domainByName(db: Db, name: string): Promise<DomainRow | undefined> {
  return db.selectFrom('domain').selectAll().where('name', '=', name).executeTakeFirst();
}

export async function domainById(db: Db, id: string): Promise<DomainRow | undefined> {
  return db.selectFrom('domain').selectAll().where('id', '=', id).executeTakeFirst();
}

export async function domainsByCertificate(db: Db, certificateId: string): Promise<DomainRow[]> {
  return db.selectFrom('domain').selectAll().where('certificate_id', '=', certificateId).orderBy('name').execute();
}

export async function insertDomain(tx: Db, row: DomainRow): Promise<void> {
  await tx.insertInto('domain').values(row).execute();
}

export async function updateDomain(tx: Db, id: string, change: Partial<DomainRow>, now: number): Promise<void> {
  await tx
    .updateTable('domain')
    .set({ ...change, updated_at: now })
    .where('id', '=', id)
    .execute();
}

export async function deleteDomain(tx: Db, id: string): Promise<void> {
  await tx.deleteFrom('domain').where('id', '=', id).execute();
}

export interface DomainFilter {
  readonly appIds?: readonly string[];
  readonly dnsStates?: readonly DnsState[];
  /** Names that begin so. */
  readonly prefix?: string;
  /** Those whose certificate is in one of these states; `none`: or that have no certificate. */
  readonly certificate?: { readonly states: readonly CertificateState[]; readonly none?: boolean };
  /** Those of which a cluster says so; `none`: or says nothing. */
  readonly delegated?: { readonly status: string; readonly none?: boolean };
}

interface CertificateState {
  readonly statuses: readonly CertificateStatus[];
  /** Whether there is a version to serve; either when absent. */
  readonly served?: boolean;
}

interface DomainPage {
  readonly after?: string;
  readonly limit: number;
}

/** In order of name, those after the name `after`. */
export const listDomains = (db: Db, filter: DomainFilter, page: DomainPage): Promise<DomainRow[]> =>
  domainsQuery(db, filter, page).execute();

/** The query of `listDomains`, whose plan a test looks at. */
export function domainsQuery(db: Db, filter: DomainFilter, page: DomainPage) {
  let query = db.selectFrom('domain').selectAll().orderBy('name').limit(page.limit);
  if (page.after !== undefined) query = query.where('name', '>', page.after);
  if (filter.appIds !== undefined) query = query.where('app_id', 'in', [...filter.appIds]);
  if (filter.dnsStates !== undefined) query = query.where('dns_state', 'in', [...filter.dnsStates]);
  // A-labels are ASCII, and '~' sorts after every character of one.
  if (filter.prefix !== undefined)
    query = query.where('name', '>=', filter.prefix).where('name', '<', `${filter.prefix}~`);
  const { certificate, delegated } = filter;
  if (certificate !== undefined)
    query = query.where((e) =>
      e.or([
        ...(certificate.none === true ? [e('domain.certificate_id', 'is', null)] : []),
        e.exists(
          e
            .selectFrom('certificate')
            .select('certificate.id')
            .whereRef('certificate.id', '=', 'domain.certificate_id')
            .where((c) =>
              c.or(
                certificate.states.map(({ statuses, served }) =>
                  c.and([
                    c('certificate.status', 'in', [...statuses]),
                    ...(served === undefined ? [] : [c('served_version_id', served ? 'is not' : 'is', null)]),
                  ]),
                ),
              ),
            ),
        ),
      ]),
    );
  if (delegated !== undefined)
    query = query.where((e) =>
      e.or([
        ...(delegated.none === true ? [e('delegated', 'is', null)] : []),
        // As it is written; in a text of it the quotes would be escaped.
        e('delegated', 'like', `%"status":${JSON.stringify(delegated.status)}%`),
      ]),
    );
  return query;
}

export async function domainsToLookAt(db: Db, now: number, limit: number): Promise<DomainRow[]> {
  return db
    .selectFrom('domain')
    .selectAll()
    .where('next_look_at', '<=', now)
    .orderBy('next_look_at')
    .limit(limit)
    .execute();
}

export async function nextLook(db: Db): Promise<number | undefined> {
  const row = await db
    .selectFrom('domain')
    .select('next_look_at')
    .where('next_look_at', 'is not', null)
    .orderBy('next_look_at')
    .limit(1)
    .executeTakeFirst();
  return row?.next_look_at ?? undefined;
}

export async function claimsToLapse(db: Db, now: number, limit: number): Promise<DomainRow[]> {
  return db.selectFrom('domain').selectAll().where('lapses_at', '<=', now).orderBy('lapses_at').limit(limit).execute();
}
