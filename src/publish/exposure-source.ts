import type { Route } from '../picture/index.ts';
import { type ExposureRow, exposureById } from '../store/exposures.ts';
import type { Db } from '../store/index.ts';
import type { RouteGroup, RouteSource } from './route-group.ts';

export interface RoutedExposure
  extends Pick<
    ExposureRow,
    'id' | 'hostname' | 'protocol' | 'status' | 'termination' | 'backend_port' | 'certificate_id' | 'issuer'
  > {
  /** Address of its virtual IP. */
  readonly address: string;
  /** The other protocol of the same host, when that is exposed too. */
  readonly also: 'http' | 'https' | null;
}

/**
 * What is published for an exposure; undefined while it is being withdrawn, and where another one of the same host
 * carries it: a host exposed by both protocols has one route, which also answers on the plain entry point.
 */
export function deriveExposure(exposure: RoutedExposure): RouteGroup | undefined {
  const { id, hostname, protocol, termination, certificate_id, issuer, also } = exposure;
  if (exposure.status === 'withdrawing') return undefined;
  if (protocol === 'http' && also === 'https') return undefined;
  const authority = `${exposure.address.includes(':') ? `[${exposure.address}]` : exposure.address}:${exposure.backend_port}`;
  const base = { id, host: hostname, path: '/' };
  const route: Route =
    protocol === 'https' && termination === 'backend'
      ? { ...base, upstreams: [{ url: `https://${authority}` }], tls: 'passthrough' }
      : {
          ...base,
          upstreams: [{ url: `http://${authority}` }],
          ...((protocol === 'http' || also === 'http') && { plain: 'serve' as const }),
        };
  return {
    id,
    host: hostname,
    origin: { kind: 'exposure', name: hostname },
    routes: [route],
    ...(certificate_id !== null && { certificateId: certificate_id }),
    ...(issuer !== null && { issuer }),
  };
}

/** Groups of services that were made public. */
export function createExposureSource(db: Db): RouteSource {
  const rows = () =>
    db
      .selectFrom('exposure')
      .innerJoin('virtual_ip', 'virtual_ip.id', 'exposure.virtual_ip_id')
      .leftJoin('exposure as other', (join) =>
        join
          .onRef('other.hostname', '=', 'exposure.hostname')
          .onRef('other.protocol', '!=', 'exposure.protocol')
          .on('other.status', '!=', 'withdrawing'),
      )
      .select([
        'exposure.id',
        'exposure.hostname',
        'exposure.protocol',
        'exposure.status',
        'exposure.termination',
        'exposure.backend_port',
        'exposure.certificate_id',
        'exposure.issuer',
        'virtual_ip.ipv6',
        'virtual_ip.ipv4',
        'other.protocol as also',
      ]);
  type Row = Awaited<ReturnType<ReturnType<typeof rows>['execute']>>[number];
  const groupOf = ({ ipv6, ipv4, ...row }: Row): RouteGroup[] => {
    const group = deriveExposure({ ...row, address: ipv6 ?? ipv4 ?? '' });
    return group === undefined ? [] : [group];
  };
  return {
    idPrefix: 'exp_',
    async touchedBy({ kind, key }) {
      if (kind !== 'route' || !key.startsWith('exp_')) return [];
      const row = await exposureById(db, key);
      // Of one that is gone the host is not known any more, so every one that it may have carried is looked at.
      let others = db.selectFrom('exposure').select('id');
      others = row === undefined ? others.where('protocol', '=', 'http') : others.where('hostname', '=', row.hostname);
      return [key, ...(await others.execute()).map(({ id }) => id)];
    },
    find: async (ids) =>
      (
        await rows()
          .where('exposure.id', 'in', [...ids])
          .execute()
      ).flatMap(groupOf),
    async coveredBy(certificateId) {
      const own = await db.selectFrom('exposure').select('id').where('certificate_id', '=', certificateId).execute();
      return own.map(({ id }) => id);
    },
    async page({ after, limit, prefix }) {
      const groups: RouteGroup[] = [];
      for (let from = after; groups.length < limit; ) {
        let query = rows().orderBy('exposure.id').limit(limit);
        if (from !== undefined) query = query.where('exposure.id', '>', from);
        if (prefix !== undefined)
          query = query.where('exposure.hostname', '>=', prefix).where('exposure.hostname', '<', `${prefix}~`);
        const page = await query.execute();
        groups.push(...page.flatMap(groupOf));
        if (page.length < limit) break;
        from = page.at(-1)!.id;
      }
      return groups.slice(0, limit);
    },
  };
}
