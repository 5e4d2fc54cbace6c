import type { Db } from '../store/index.ts';
import { deriveDomain } from './derive.ts';
import type { RouteGroup, RouteSource } from './route-group.ts';

/** Groups of apps and their domains, as the store has them. */
export function createDomainSource(db: Db): RouteSource {
  const rows = () =>
    db
      .selectFrom('domain')
      .innerJoin('app', 'app.id', 'domain.app_id')
      .select([
        'domain.id',
        'domain.name',
        'domain.routed',
        'domain.redirect_to',
        'domain.lapsed_at',
        'domain.certificate_id',
        'domain.issuers',
        'domain.app_id',
        'app.name as app_name',
        'app.upstreams',
      ]);
  type Row = Awaited<ReturnType<ReturnType<typeof rows>['execute']>>[number];
  const groupOf = (row: Row): RouteGroup[] => {
    const group = deriveDomain({ id: row.app_id, name: row.app_name, upstreams: row.upstreams }, row);
    return group === undefined ? [] : [group];
  };
  return {
    idPrefix: 'dom_',
    async touchedBy({ kind, key }) {
      if (kind === 'domain') return [key];
      if (kind !== 'app') return [];
      const own = await db.selectFrom('domain').select('id').where('app_id', '=', key).execute();
      return own.map(({ id }) => id);
    },
    find: async (ids) =>
      (
        await rows()
          .where('domain.id', 'in', [...ids])
          .execute()
      ).flatMap(groupOf),
    async coveredBy(certificateId) {
      const own = await db.selectFrom('domain').select('id').where('certificate_id', '=', certificateId).execute();
      return own.map(({ id }) => id);
    },
    async page({ after, limit, prefix }) {
      // Rows that give no group are skipped, so a page is filled from as many reads as it takes.
      const groups: RouteGroup[] = [];
      for (let from = after; groups.length < limit; ) {
        let query = rows().orderBy('domain.id').limit(limit);
        if (from !== undefined) query = query.where('domain.id', '>', from);
        // A-labels are ASCII, and '~' sorts after every character of one.
        if (prefix !== undefined)
          query = query.where('domain.name', '>=', prefix).where('domain.name', '<', `${prefix}~`);
        const page = await query.execute();
        groups.push(...page.flatMap(groupOf));
        if (page.length < limit) break;
        from = page.at(-1)!.id;
      }
      return groups.slice(0, limit);
    },
  };
}
