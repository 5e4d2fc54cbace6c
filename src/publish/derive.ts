import type { Route, Upstream } from '../picture/index.ts';
import type { AppRow } from '../store/apps.ts';
import type { DomainRow } from '../store/domains.ts';
import type { RouteGroup } from './route-group.ts';

type RoutedDomain = Pick<
  DomainRow,
  'id' | 'name' | 'routed' | 'redirect_to' | 'lapsed_at' | 'certificate_id' | 'issuers'
>;

/** What is published for a custom or automatic domain; undefined while it only proves or certifies, or once it lapsed. */
export function deriveDomain(
  app: Pick<AppRow, 'id' | 'name' | 'upstreams'>,
  domain: RoutedDomain,
): RouteGroup | undefined {
  if (domain.routed === 0 || domain.lapsed_at !== null) return undefined;
  const issuer = domain.issuers === null ? undefined : (JSON.parse(domain.issuers) as string[])[0];
  return {
    id: domain.id,
    host: domain.name,
    origin: { kind: 'domain', appId: app.id, appName: app.name },
    routes: [routeOf(app, domain)],
    ...(domain.certificate_id !== null && { certificateId: domain.certificate_id }),
    ...(issuer !== undefined && { issuer }),
  };
}

function routeOf(app: Pick<AppRow, 'upstreams'>, domain: RoutedDomain): Route {
  const base = { id: domain.id, host: domain.name, path: '/' };
  if (domain.redirect_to === null) return { ...base, upstreams: JSON.parse(app.upstreams) as Upstream[] };
  return { ...base, upstreams: [], redirect: { to: `https://${domain.redirect_to}`, status: 308 } };
}
