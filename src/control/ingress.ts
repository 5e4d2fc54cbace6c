import type { Exposure, IngressRoute } from '../contract/index.ts';
import { type ExposureRow, exposureById, exposuresOfHost, listExposures } from '../store/exposures.ts';
import { type Actor, requirePermission } from './actor.ts';
import { absent, type ControlDeps, notFound, performed } from './context.ts';
import { certificateDocument, time, timeOrNull } from './documents.ts';
import { decodeCursor, limitOf, type Page, type PageInput, pageOf } from './page.ts';
import type { CertificateView, IngressRouteView } from './ports/index.ts';

export interface IngressUseCases {
  list(actor: Actor, input: PageInput & { prefix?: string }): Promise<Page<IngressRoute>>;
  get(actor: Actor, id: string): Promise<IngressRoute>;
  /** Services that were made public, those whose mission failed half-way included. */
  exposures(actor: Actor, input: PageInput): Promise<Page<Exposure>>;
  /** By id, or all of a host name. */
  exposure(actor: Actor, reference: string): Promise<Exposure[]>;
  /** Publishes again, everything or what one certificate needs. */
  compose(actor: Actor, certificateId: string | undefined): Promise<void>;
  /** Traefik's HTTP-provider document. */
  traefik(actor: Actor): Promise<{ body: string; etag: string }>;
}

export function createIngressUseCases(deps: ControlDeps): IngressUseCases {
  const engine = () => {
    if (deps.ingress === undefined) throw absent('the routes monitor');
    return deps.ingress;
  };
  const render = async (views: readonly IngressRouteView[]) => {
    const ids = [...new Set(views.flatMap(({ certificateId }) => certificateId ?? []))];
    const certificates = new Map((await deps.certificates.getMany(ids)).map((view) => [view.id, view]));
    const now = deps.clock.now();
    const exposed = new Map<string, ExposureRow[]>();
    for (const host of views.filter(({ id }) => id.startsWith('exp_')).flatMap(({ hosts }) => hosts))
      exposed.set(host, await exposuresOfHost(deps.store.db, host));
    return (view: IngressRouteView) =>
      document(
        view,
        certificates.get(view.certificateId ?? ''),
        view.hosts.flatMap((host) => exposed.get(host) ?? []),
        now,
      );
  };
  return {
    async list(actor, input) {
      requirePermission(actor, 'system.ingress.read');
      const after = decodeCursor(input.cursor, 'string');
      const filter = input.prefix === undefined ? {} : { prefix: input.prefix.toLowerCase() };
      const views = await engine().list(filter, { limit: limitOf(input) + 1, ...(after !== undefined && { after }) });
      return pageOf(views, limitOf(input), ({ id }) => id, await render(views));
    },
    async get(actor, id) {
      requirePermission(actor, 'system.ingress.read');
      const view = await engine().get(id);
      if (view === undefined) throw notFound('ingress route', id);
      return (await render([view]))(view);
    },
    async exposures(actor, input) {
      requirePermission(actor, 'system.ingress.read');
      const after = decodeCursor(input.cursor, 'string');
      const page = { limit: limitOf(input) + 1, ...(after !== undefined && { after }) };
      return pageOf(await listExposures(deps.store.db, {}, page), limitOf(input), ({ id }) => id, exposureDocument);
    },
    async exposure(actor, reference) {
      requirePermission(actor, 'system.ingress.read');
      const one = await exposureById(deps.store.db, reference);
      const rows = one === undefined ? await exposuresOfHost(deps.store.db, reference.toLowerCase()) : [one];
      if (rows.length === 0) throw notFound('exposure', reference, 'gatehouse exposures list');
      return rows.map(exposureDocument);
    },
    compose: (actor, certificateId) =>
      performed(
        deps,
        actor,
        {
          permission: 'system.ingress.manage',
          action: 'ingress.compose',
          resource: `certificate:${certificateId ?? 'all'}`,
        },
        async () => {
          const compose = engine().compose;
          if (compose === undefined) throw absent('publishing again');
          await compose(certificateId);
        },
      ),
    async traefik(actor) {
      // The document holds private keys, so reading it is no reader's right.
      requirePermission(actor, 'system.ingress.manage');
      const traefik = deps.ingress?.traefik;
      if (traefik === undefined) throw absent("Traefik's HTTP provider");
      return traefik();
    },
  };
}

function document(
  view: IngressRouteView,
  certificate: CertificateView | undefined,
  exposures: readonly ExposureRow[],
  now: number,
): IngressRoute {
  const { hosts } = view;
  return {
    id: view.id,
    hosts: [...hosts],
    rule: hosts.map((host) => `Host(\`${host}\`)`).join(' || '),
    source: view.source,
    certificate: certificate === undefined ? null : certificateDocument(certificate, now),
    live:
      (certificate?.served !== undefined || (exposures.length > 0 && exposures.every(isPlain))) &&
      view.delivery.every(({ state }) => state !== 'wanted'),
    routers: view.routers.map((router) => ({ ...router })),
    public_urls:
      exposures.length > 0
        ? exposures.map(publicUrl)
        : hosts.filter((host) => !host.startsWith('*.')).map((host) => `https://${host}/`),
    delivery: view.delivery.map(({ publisher, state, at, problem }) => ({
      publisher,
      state,
      at: timeOrNull(at),
      problem: problem ?? null,
    })),
  };
}

const isPlain = ({ protocol }: ExposureRow): boolean => protocol === 'http';

function publicUrl({ protocol, hostname, listen_port: port }: ExposureRow): string {
  return `${protocol}://${hostname}${port === (protocol === 'https' ? 443 : 80) ? '' : `:${port}`}/`;
}

const exposureDocument = (row: ExposureRow): Exposure => ({
  ...row,
  public_url: publicUrl(row),
  created_at: time(row.created_at),
  updated_at: time(row.updated_at),
});
