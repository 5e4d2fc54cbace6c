import type { Route } from '../picture/index.ts';
import type { RouteGroup, RouteSource } from '../publish/index.ts';
import { type ExposureRow, exposureById, exposuresOfHost, listExposures } from '../store/exposures.ts';
import type { Db, Store } from '../store/index.ts';
import { portMappingById, type VirtualIpRow, virtualIpById } from '../store/virtual-ips.ts';

/**
 * What is published for a host: one route, whichever of http and https it is exposed over. Undefined while nothing of it
 * needs the proxy: before its steps came so far, after it was withdrawn, or when the hub forwards http to it directly.
 */
export function deriveExposure(
  exposures: readonly ExposureRow[],
  virtualIp: Pick<VirtualIpRow, 'ipv6' | 'ipv4'>,
  throughProxy: (exposure: ExposureRow) => boolean,
): RouteGroup | undefined {
  const live = exposures.filter(({ status, port_mapping_id }) => status !== 'withdrawing' && port_mapping_id !== null);
  const https = live.find(({ protocol }) => protocol === 'https');
  const http = live.find((exposure) => exposure.protocol === 'http' && throughProxy(exposure));
  const lead = https ?? http;
  if (lead === undefined) return undefined;
  const address = virtualIp.ipv6 === null ? virtualIp.ipv4 : `[${virtualIp.ipv6}]`;
  const route: Route = {
    id: lead.id,
    host: lead.hostname,
    path: '/',
    upstreams: [{ url: `http://${address}:${lead.backend_port}` }],
    ...(https?.termination === 'backend' && { tls: 'passthrough' }),
    ...(http !== undefined && { plain: 'serve' }),
  };
  return {
    id: lead.id,
    host: lead.hostname,
    origin: { kind: 'exposure', name: lead.hostname },
    routes: [route],
    ...(https !== undefined && https.certificate_id !== null && { certificateId: https.certificate_id }),
    ...(https !== undefined && https.issuer !== null && { issuer: https.issuer }),
  };
}

/** Exposures as publish follows them. */
export function createExposureRoutes(store: Store): RouteSource {
  return {
    idPrefix: 'exp_',
    async touchedBy({ kind, key }) {
      if (kind !== 'route') return [];
      const changed = await exposureById(store.db, key);
      if (changed === undefined) return [key];
      // Of a host's exposures one gives the route, so a change of either touches both.
      return (await exposuresOfHost(store.db, changed.hostname)).map(({ id }) => id);
    },
    async find(ids) {
      const groups = await Promise.all(ids.map((id) => groupOf(store.db, id)));
      return groups.flatMap((group) => group ?? []);
    },
    async coveredBy(certificateId) {
      const own = await store.db
        .selectFrom('exposure')
        .select('id')
        .where('certificate_id', '=', certificateId)
        .execute();
      return own.map(({ id }) => id);
    },
    async page({ after, limit, prefix }) {
      const groups: RouteGroup[] = [];
      let last = after;
      // A row that leads to no route takes no place in a page.
      for (;;) {
        const rows = await listExposures(store.db, {}, { limit, ...(last !== undefined && { after: last }) });
        for (const row of rows.filter(({ hostname }) => prefix === undefined || hostname.startsWith(prefix))) {
          const group = await groupOf(store.db, row.id);
          if (group !== undefined) groups.push(group);
          if (groups.length === limit) return groups;
        }
        if (rows.length < limit) return groups;
        last = rows.at(-1)!.id;
      }
    },
  };
}

async function groupOf(db: Db, id: string): Promise<RouteGroup | undefined> {
  const row = await exposureById(db, id);
  const virtualIp = row && (await virtualIpById(db, row.virtual_ip_id));
  if (row === undefined || virtualIp === undefined) return undefined;
  const exposures = await exposuresOfHost(db, row.hostname);
  const direct = new Set<string>();
  for (const { id, port_mapping_id, virtual_ip_id } of exposures) {
    const mapping = port_mapping_id === null ? undefined : await portMappingById(db, port_mapping_id);
    if (mapping?.target_virtual_ip_id === virtual_ip_id) direct.add(id);
  }
  const group = deriveExposure(exposures, virtualIp, (exposure) => !direct.has(exposure.id));
  return group?.id === id ? group : undefined;
}
