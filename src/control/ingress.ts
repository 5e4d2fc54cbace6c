import type { IngressRoute } from '../contract/index.ts';
import { type Actor, requirePermission } from './actor.ts';
import { absent, type ControlDeps, notFound, performed } from './context.ts';
import { certificateDocument, timeOrNull } from './documents.ts';
import { decodeCursor, limitOf, type Page, type PageInput, pageOf } from './page.ts';
import type { CertificateView, IngressRouteView } from './ports/index.ts';

export interface IngressUseCases {
  list(actor: Actor, input: PageInput & { prefix?: string }): Promise<Page<IngressRoute>>;
  get(actor: Actor, id: string): Promise<IngressRoute>;
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
    return (view: IngressRouteView) => document(view, certificates.get(view.certificateId ?? ''), now);
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

function document(view: IngressRouteView, certificate: CertificateView | undefined, now: number): IngressRoute {
  const { hosts } = view;
  return {
    id: view.id,
    hosts: [...hosts],
    rule: hosts.map((host) => `Host(\`${host}\`)`).join(' || '),
    source: view.source,
    certificate: certificate === undefined ? null : certificateDocument(certificate, now),
    live: certificate?.served !== undefined && view.delivery.every(({ state }) => state !== 'wanted'),
    routers: view.routers.map((router) => ({ ...router })),
    public_urls: hosts.filter((host) => !host.startsWith('*.')).map((host) => `https://${host}/`),
    delivery: view.delivery.map(({ publisher, state, at, problem }) => ({
      publisher,
      state,
      at: timeOrNull(at),
      problem: problem ?? null,
    })),
  };
}
