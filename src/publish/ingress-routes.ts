import type { Route } from '../picture/index.ts';
import { deliveriesOf } from '../store/deliveries.ts';
import type { Db } from '../store/index.ts';
import { type DeliveryState, deliveryState, type PublisherTraits } from './delivery-state.ts';
import type { Publisher, PublisherState } from './publisher.ts';
import { findGroups, type RouteGroup, type RouteSource } from './route-group.ts';
import type { ServedCertificates } from './served-certificates.ts';
import type { TraefikDocument } from './traefik/http-target.ts';
import { routerName } from './traefik/names.ts';
import { httpRule, sniRule } from './traefik/rule.ts';

/** A route as every publisher delivers it, and how far it has come at each. */
export interface IngressRoute {
  readonly id: string;
  readonly hosts: readonly string[];
  /** `domain of shop`, `exposure`. */
  readonly source: string;
  /** In Traefik's notation: Host(`shop.example.com`). */
  readonly matcher: string;
  readonly certificateId?: string;
  readonly routers: readonly {
    readonly name: string;
    readonly path: string;
    readonly backend: string;
    readonly entrypoint: 'websecure' | 'web';
    readonly rule: string;
  }[];
  readonly delivery: readonly DeliveryState[];
}

export interface IngressRoutesDeps {
  readonly db: Db;
  readonly sources: readonly RouteSource[];
  readonly certificates: Pick<ServedCertificates, 'find'>;
  readonly publishers: readonly (Publisher & Pick<PublisherTraits, 'groupsOnly'>)[];
  readonly document?: TraefikDocument;
}

/** Everything that reads what is published: the monitor, the mission that waits for it, and Traefik's HTTP provider. */
export interface IngressRoutes {
  /** In order of id, those after `after`; hosts that begin with `prefix`. */
  list(filter: { prefix?: string }, page: { after?: string; limit: number }): Promise<IngressRoute[]>;
  get(id: string): Promise<IngressRoute | undefined>;
  /** What each publisher has of it now, after telling them all to look. */
  deliveries(id: string): Promise<readonly DeliveryState[]>;
  /** Compares everything again with what is there. Throws when a place cannot be reached. */
  compose(): Promise<void>;
  /** How far each place is, as a whole. */
  publishers(): readonly PublisherState[];
  /** Throws a `Fault` of status 503 until the document is complete. */
  traefik?(): Promise<{ body: string; etag: string }>;
}

export function createIngressRoutes(deps: IngressRoutesDeps): IngressRoutes {
  const { db, publishers, document } = deps;
  const sources = deps.sources.toSorted((a, b) => (a.idPrefix < b.idPrefix ? -1 : 1));

  const withDeliveries = async (groups: readonly RouteGroup[]): Promise<IngressRoute[]> => {
    const certificateIds = [...new Set(groups.flatMap(({ certificateId }) => certificateId ?? []))];
    const served = new Map(
      certificateIds.length === 0
        ? []
        : (await deps.certificates.find(certificateIds)).map((version) => [version.id, version]),
    );
    const rows = await deliveriesOf(db, [...groups.map(({ id }) => id), ...certificateIds]);
    return groups.map((group) => ({
      ...routeView(group),
      delivery: publishers.map((publisher) =>
        deliveryState(
          publisher,
          group,
          group.certificateId === undefined ? undefined : served.get(group.certificateId),
          rows,
        ),
      ),
    }));
  };
  const get = async (id: string) => (await withDeliveries(await findGroups(sources, [id])))[0];

  return {
    get,
    async list({ prefix }, { after, limit }) {
      const groups: RouteGroup[] = [];
      for (const source of sources) {
        // Sources are in order of their ids, so a page goes on where the last one of the source before it ended.
        if (groups.length >= limit || (after !== undefined && after > `${source.idPrefix}~`)) continue;
        const from = after?.startsWith(source.idPrefix) === true ? after : undefined;
        groups.push(
          ...(await source.page({
            limit: limit - groups.length,
            ...(from !== undefined && { after: from }),
            ...(prefix !== undefined && { prefix }),
          })),
        );
      }
      return withDeliveries(groups);
    },
    async deliveries(id) {
      for (const publisher of publishers) publisher.poke();
      return (await get(id))?.delivery ?? [];
    },
    async compose() {
      await Promise.all(publishers.map((publisher) => publisher.reconcileAll()));
    },
    publishers: () => publishers.map((publisher) => publisher.state()),
    ...(document && { traefik: async () => document.current() }),
  };
}

function routeView({ id, host, origin, routes, certificateId }: RouteGroup): Omit<IngressRoute, 'delivery'> {
  const rule = (route: Route) => (route.tls === 'passthrough' ? sniRule(route.host) : httpRule(route));
  return {
    id,
    hosts: [host],
    source: origin.kind === 'domain' ? `domain of ${origin.appName}` : 'exposure',
    matcher: [...new Set(routes.map((route) => rule({ ...route, path: '/' })))].join(' || '),
    ...(certificateId !== undefined && { certificateId }),
    routers: routes.flatMap((route) => {
      const router = {
        name: routerName(route.id),
        path: route.path,
        backend: route.redirect?.to ?? route.upstreams.map(({ url }) => url).join(', '),
        entrypoint: 'websecure' as const,
        rule: rule(route),
      };
      const plain = { ...router, name: `${router.name}-plain`, entrypoint: 'web' as const };
      return route.plain === 'serve' ? [router, plain] : [router];
    }),
  };
}
