import type { CertificateRow } from './certificates.ts';
import type { Db } from './store.ts';

/** How many served versions end within so many days of `now`, by the bounds given and last those beyond; expired first. */
export async function countByDaysLeft(db: Db, bounds: readonly number[], now: number): Promise<number[]> {
  const DAY = 86_400_000;
  const ends = [now, ...bounds.map((days) => now + days * DAY)];
  const upTo = await Promise.all(
    ends.map(async (end) => {
      const row = await db
        .selectFrom('certificate')
        .innerJoin('certificate_version', 'certificate_version.id', 'certificate.served_version_id')
        .select((e) => e.fn.countAll<number>().as('count'))
        .where('certificate_version.not_after', '<=', end)
        .executeTakeFirstOrThrow();
      return Number(row.count);
    }),
  );
  const all = await db
    .selectFrom('certificate')
    .select((e) => e.fn.countAll<number>().as('count'))
    .where('served_version_id', 'is not', null)
    .executeTakeFirstOrThrow();
  return [...upTo, Number(all.count)].map((count, i, counts) => count - (counts[i - 1] ?? 0));
}

/** Those whose renewal comes first. */
export async function nextRenewals(db: Db, limit: number): Promise<Pick<CertificateRow, 'id'>[]> {
  return db
    .selectFrom('certificate')
    .select('id')
    .where('renew_at', 'is not', null)
    .where('unreferenced_at', 'is', null)
    .where('status', 'in', ['valid', 'renewing'])
    .orderBy('renew_at')
    .limit(limit)
    .execute();
}

export async function countDomainsByDns(db: Db): Promise<Record<string, number>> {
  const rows = await db
    .selectFrom('domain')
    .select(['dns_state', (e) => e.fn.countAll<number>().as('count')])
    .where('lapsed_at', 'is', null)
    .groupBy('dns_state')
    .execute();
  return Object.fromEntries(rows.map((row) => [row.dns_state, Number(row.count)]));
}

export async function countWaitingMissions(db: Db, now: number): Promise<number> {
  const row = await db
    .selectFrom('mission')
    .select((e) => e.fn.countAll<number>().as('count'))
    .where('status', '=', 'proposed')
    .where('expires_at', '>', now)
    .executeTakeFirstOrThrow();
  return Number(row.count);
}
