import { Fault, newSecret } from '../base/index.ts';
import type { App, ChangeApp, CreateApp } from '../contract/index.ts';
import { addAutoDomain, type DomainsDeps, removeDomain } from '../domains/index.ts';
import { type AppRow, appById, deleteApp, insertApp, listApps, updateApp } from '../store/apps.ts';
import { type DomainRow, listDomains } from '../store/domains.ts';
import { appendAudit, type Db, recordChange } from '../store/index.ts';
import { type Actor, outOfScope, requirePermission, requireUnscoped } from './actor.ts';
import { auditEvent, type ControlDeps, guarded, invalid, notFound } from './context.ts';
import { appDocument } from './documents.ts';
import { decodeCursor, limitOf, type Page, type PageInput, pageOf } from './page.ts';
import { parseUpstreams } from './upstreams.ts';

// With `app-` before it, it is one label of a host name (RFC 1035 §2.3.4).
const ID = /^[a-z0-9]([a-z0-9-]{0,57}[a-z0-9])?$/;

/** The app that a request names, if the actor may see it at all. */
export async function appFor(deps: ControlDeps, actor: Actor, reference: string): Promise<AppRow> {
  const app = await appById(deps.store.db, reference);
  // A token limited to apps learns nothing of others: whether they exist is not said.
  if (actor.apps !== undefined && (app === undefined || !actor.apps.has(app.id))) throw outOfScope(reference);
  if (app === undefined) throw notFound('app', reference, 'gatehouse apps list');
  return app;
}

export interface AppUseCases {
  create(actor: Actor, input: CreateApp): Promise<App>;
  list(actor: Actor, page: PageInput): Promise<Page<App>>;
  get(actor: Actor, reference: string): Promise<App>;
  change(actor: Actor, reference: string, input: ChangeApp): Promise<App>;
  /** Refused while custom domains are left, unless `withDomains`. */
  remove(actor: Actor, reference: string, options: { withDomains: boolean }): Promise<void>;
}

export function createAppUseCases(deps: ControlDeps, domains: DomainsDeps): AppUseCases {
  const document = (row: AppRow) => appDocument(row, deps.domains.baseDomain);
  return {
    create: (actor, input) => {
      const id = input.id.toLowerCase();
      const act = { permission: 'apps.manage', action: 'app.create', resource: `app:${id.slice(0, 63)}` } as const;
      return guarded(deps, actor, act, async () => {
        requireUnscoped(actor, 'making an app');
        if (!ID.test(id))
          throw invalid(
            'id',
            'invalid_app_id',
            `${JSON.stringify(input.id.slice(0, 100))} is not an id for an app`,
            'use letters, digits and hyphens, such as shop-2',
          );
        const upstreams = JSON.stringify(parseUpstreams(input.upstreams));
        const { row, autoDomain } = await deps.store.write(async (tx) => {
          const now = deps.clock.now();
          await requireFreeId(tx, id);
          const name = input.name ?? id;
          const row = { id, name, proof_token: newSecret(15), upstreams, created_at: now, updated_at: now };
          await insertApp(tx, row);
          const autoDomain = await addAutoDomain(domains, tx, row.id, now);
          await recordChange(tx, 'app', row.id, now);
          await appendAudit(tx, auditEvent(actor, { ...act, facts: { upstreams: input.upstreams } }, now));
          return { row, autoDomain };
        });
        if (autoDomain !== undefined) domains.wake(autoDomain);
        return document(row);
      });
    },
    async list(actor, page) {
      requirePermission(actor, 'apps.read');
      const limit = limitOf(page);
      const after = decodeCursor(page.cursor, 'string');
      const rows = await listApps(deps.store.db, {
        limit: limit + 1,
        ...(after !== undefined && { after }),
        ...(actor.apps !== undefined && { ids: [...actor.apps] }),
      });
      return pageOf(rows, limit, (row) => row.id, document);
    },
    async get(actor, reference) {
      requirePermission(actor, 'apps.read');
      return document(await appFor(deps, actor, reference));
    },
    change: (actor, reference, input) => {
      const act = {
        permission: 'apps.manage',
        action: 'app.change',
        resource: `app:${reference.slice(0, 63)}`,
      } as const;
      return guarded(deps, actor, act, async () => {
        const app = await appFor(deps, actor, reference);
        const name = input.name ?? app.name;
        const upstreams =
          input.upstreams === undefined ? app.upstreams : JSON.stringify(parseUpstreams(input.upstreams));
        return deps.store.write(async (tx) => {
          const now = deps.clock.now();
          const current = await appById(tx, app.id);
          if (current === undefined) throw notFound('app', reference);
          await updateApp(tx, app.id, { name, upstreams }, now);
          await recordChange(tx, 'app', app.id, now);
          await appendAudit(tx, auditEvent(actor, { ...act, facts: input }, now));
          return document({ ...current, name, upstreams, updated_at: now });
        });
      });
    },
    remove: (actor, reference, options) => {
      const act = {
        permission: 'apps.manage',
        action: 'app.delete',
        resource: `app:${reference.slice(0, 63)}`,
      } as const;
      return guarded(deps, actor, act, async () => {
        const app = await appFor(deps, actor, reference);
        const custom = (await domainsOf(deps, app.id)).filter(({ kind }) => kind === 'custom');
        if (custom.length > 0 && !options.withDomains) throw hasDomains(app, custom);
        for (const row of await domainsOf(deps, app.id))
          await removeDomain(
            domains,
            row,
            auditEvent(
              actor,
              { ...act, action: 'domain.remove', resource: `domain:${row.name}`, facts: { app: app.id } },
              deps.clock.now(),
            ),
          );
        await deps.store.write(async (tx) => {
          const now = deps.clock.now();
          const left = await listDomains(tx, { appIds: [app.id] }, { limit: 5 });
          if (left.length > 0) throw hasDomains(app, left);
          await deleteApp(tx, app.id);
          await recordChange(tx, 'app', app.id, now);
          await appendAudit(tx, auditEvent(actor, act, now));
        });
      });
    },
  };
}

async function requireFreeId(tx: Db, id: string): Promise<void> {
  if ((await appById(tx, id)) === undefined) return;
  throw new Fault({
    code: 'app_exists',
    detail: `there is an app ${id} already`,
    party: 'client',
    retry: 'never',
    field: 'id',
    status: 409,
    advice: 'choose another id, or change the app that is there',
  });
}

async function domainsOf(deps: ControlDeps, appId: string): Promise<DomainRow[]> {
  const all: DomainRow[] = [];
  for (;;) {
    const last = all.at(-1)?.name;
    const rows = await listDomains(
      deps.store.db,
      { appIds: [appId] },
      { limit: 500, ...(last !== undefined && { after: last }) },
    );
    all.push(...rows);
    if (rows.length < 500) return all;
  }
}

function hasDomains(app: AppRow, rows: readonly DomainRow[]): Fault {
  const some = rows
    .slice(0, 3)
    .map(({ name }) => name)
    .join(', ');
  return new Fault({
    code: 'app_has_domains',
    detail: `${app.id} still has ${rows.length === 1 ? 'a domain' : `${rows.length} domains`}: ${some}${rows.length > 3 ? ', …' : ''}`,
    party: 'client',
    retry: 'never',
    status: 409,
    advice: 'remove them first, or delete the app with them: ?with_domains=true (gatehouse apps delete --with-domains)',
  });
}
