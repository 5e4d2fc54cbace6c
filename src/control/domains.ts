import { Fault } from '../base/index.ts';
import type { AddDomain, CertificateEvent, ChangeDomain, Domain } from '../contract/index.ts';
import { claimDomain, type DomainsDeps, lookAgain, reconcileDomain, removeDomain } from '../domains/index.ts';
import { type AppRow, appById } from '../store/apps.ts';
import {
  type DnsState,
  type DomainRow,
  domainById,
  domainByName,
  listDomains,
  updateDomain,
} from '../store/domains.ts';
import { appendAudit, recordChange } from '../store/index.ts';
import { parseDnsName } from '../x509/index.ts';
import { type Actor, requirePermission } from './actor.ts';
import { appFor } from './apps.ts';
import { certificateSteps, checkIssuers } from './certificates.ts';
import { auditEvent, type ControlDeps, guarded, notFound } from './context.ts';
import { delegatedOf } from './delegated-document.ts';
import { time } from './documents.ts';
import { domainDocument, type TlsStatus, tlsStatusFilter } from './domain-document.ts';
import { decodeCursor, limitOf, type Page, type PageInput, pageOf } from './page.ts';

export interface DomainListInput extends PageInput {
  readonly dns_state?: DnsState;
  readonly tls_status?: TlsStatus;
  readonly prefix?: string;
}

export interface DomainUseCases {
  /** Idempotent. `created` is false when the app held the name already. */
  add(actor: Actor, app: string, input: AddDomain): Promise<{ domain: Domain; created: boolean }>;
  /** All domains of one app, or of every app that the actor may see. */
  list(actor: Actor, app: string | undefined, input: DomainListInput): Promise<Page<Domain>>;
  get(actor: Actor, app: string, name: string): Promise<Domain>;
  /** By name alone, whichever app holds it. */
  find(actor: Actor, name: string): Promise<Domain>;
  change(actor: Actor, app: string, name: string, input: ChangeDomain): Promise<Domain>;
  /** Looks at DNS now, and tries for a certificate now. */
  verify(actor: Actor, app: string, name: string): Promise<Domain>;
  remove(actor: Actor, app: string, name: string): Promise<void>;
  /** What happens on its way to being served: `dns` while it waits for DNS, then its certificate's steps. */
  events(actor: Actor, app: string, name: string, after: number, limit: number): Promise<CertificateEvent[]>;
}

export function createDomainUseCases(deps: ControlDeps, domains: DomainsDeps): DomainUseCases {
  const document = async (row: DomainRow, app: AppRow): Promise<Domain> => {
    const view = row.certificate_id === null ? undefined : await deps.certificates.get(row.certificate_id);
    return domainDocument(row, app, view, deps.domains, deps.clock.now());
  };
  const find = async (app: AppRow, text: string): Promise<DomainRow> => {
    const name = parseDnsName(text, { wildcard: true, field: 'domain' });
    const row = await domainByName(deps.store.db, name);
    if (row === undefined || row.app_id !== app.id)
      throw notFound('domain', name, `gatehouse domains list --app ${app.id}`);
    return row;
  };
  const act = (action: string, name: string, facts: Readonly<Record<string, unknown>> = {}) => ({
    permission: 'apps.manage' as const,
    action: `domain.${action}`,
    resource: `domain:${name.slice(0, 253)}`,
    facts,
  });

  return {
    add: (actor, reference, input) =>
      guarded(deps, actor, act('claim', input.domain, { app: reference }), async () => {
        const app = await appFor(deps, actor, reference);
        await checkIssuers(deps, input.issuers);
        const { row, plan } = await claimDomain(
          domains,
          app,
          {
            domain: input.domain,
            ...(input.dns_credential_id !== undefined && { dnsCredentialId: input.dns_credential_id }),
            ...(input.issuers !== undefined && { issuers: input.issuers }),
            ...(input.challenge !== undefined && { challenge: input.challenge }),
            ...(input.redirect_to !== undefined && { redirectTo: input.redirect_to }),
            ...(input.route !== undefined && { route: input.route }),
            ...(input.on_demand !== undefined && { onDemand: input.on_demand }),
          },
          (claimed, kind) =>
            auditEvent(actor, act('claim', claimed.name, { app: app.id, claim: kind }), deps.clock.now()),
        );
        // What needs no waiting is done before the answer, so that it can name the certificate.
        const after = row.dns_state === 'local' ? await reconcileDomain(domains, row.id) : undefined;
        if (after === undefined) domains.wake(row.id);
        return { domain: await document(after ?? row, app), created: plan !== 'held' };
      }),
    async list(actor, reference, input) {
      requirePermission(actor, 'apps.read');
      const app = reference === undefined ? undefined : await appFor(deps, actor, reference);
      const appIds = app !== undefined ? [app.id] : actor.apps === undefined ? undefined : [...actor.apps];
      const limit = limitOf(input);
      const after = decodeCursor(input.cursor, 'string');
      const rows = await listDomains(
        deps.store.db,
        {
          ...(appIds !== undefined && { appIds }),
          ...(input.dns_state !== undefined && { dnsStates: [input.dns_state] }),
          ...(input.prefix !== undefined && { prefix: input.prefix.toLowerCase() }),
          ...(input.tls_status !== undefined && tlsStatusFilter(input.tls_status, deps.domains)),
        },
        { limit: limit + 1, ...(after !== undefined && { after }) },
      );
      const render = await renderer(deps, rows);
      return pageOf(rows, limit, (row) => row.name, render);
    },
    async get(actor, reference, name) {
      requirePermission(actor, 'apps.read');
      const app = await appFor(deps, actor, reference);
      return document(await find(app, name), app);
    },
    async find(actor, text) {
      requirePermission(actor, 'apps.read');
      const name = parseDnsName(text, { wildcard: true, field: 'domain' });
      const row = await domainByName(deps.store.db, name);
      const app = row && (await appById(deps.store.db, row.app_id));
      if (row === undefined || app === undefined || actor.apps?.has(app.id) === false)
        throw notFound('domain', name, 'gatehouse domains list');
      return document(row, app);
    },
    change: (actor, reference, name, input) =>
      guarded(deps, actor, act('change', name, { app: reference, ...input }), async () => {
        const app = await appFor(deps, actor, reference);
        const row = await find(app, name);
        if (input.redirect_to !== undefined && input.redirect_to !== null) {
          const { row: changed } = await claimDomain(
            domains,
            app,
            {
              domain: row.name,
              redirectTo: input.redirect_to,
              ...(input.route !== undefined && { route: input.route }),
            },
            (claimed) => auditEvent(actor, act('change', claimed.name, { app: app.id, ...input }), deps.clock.now()),
          );
          return document(changed, app);
        }
        const after = await deps.store.write(async (tx) => {
          const now = deps.clock.now();
          const change = {
            ...(input.route !== undefined && { routed: Number(input.route) }),
            ...(input.redirect_to === null && { redirect_to: null }),
          };
          await updateDomain(tx, row.id, change, now);
          await recordChange(tx, 'domain', row.id, now);
          await appendAudit(tx, auditEvent(actor, act('change', row.name, { app: app.id, ...input }), now));
          return domainById(tx, row.id);
        });
        return document(after ?? row, app);
      }),
    verify: (actor, reference, name) =>
      guarded(deps, actor, act('verify', name, { app: reference }), async () => {
        const app = await appFor(deps, actor, reference);
        const row = await find(app, name);
        await lookAgain(domains, row);
        await deps.store.write(async (tx) => {
          const now = deps.clock.now();
          // Whoever may verify need not be a visitor first.
          if (row.on_demand === 1 && row.demanded_at === null)
            await updateDomain(tx, row.id, { demanded_at: now }, now);
          await appendAudit(tx, auditEvent(actor, act('verify', row.name, { app: app.id }), now));
        });
        const after = (await reconcileDomain(domains, row.id)) ?? row;
        // "Try now" is for one that has no good certificate; a good one is not renewed by being looked at.
        if (delegatedOf(after)?.status === 'failed') await beginAnew(deps, after.id);
        if (after.certificate_id !== null && !(await domains.certificates.isServed(after.certificate_id)))
          await domains.certificates.renew(after.certificate_id);
        return document(after, app);
      }),
    remove: (actor, reference, name) =>
      guarded(deps, actor, act('remove', name, { app: reference }), async () => {
        const app = await appFor(deps, actor, reference);
        const row = await find(app, name);
        if (row.kind === 'auto') throw autoStays(row.name);
        await removeDomain(domains, row, auditEvent(actor, act('remove', row.name, { app: app.id }), deps.clock.now()));
      }),
    async events(actor, reference, name, after, limit) {
      requirePermission(actor, 'apps.read');
      const app = await appFor(deps, actor, reference);
      const row = await find(app, name);
      if (row.certificate_id !== null) return certificateSteps(deps, row.certificate_id, after, limit);
      const { why } = await document(row, app);
      return [{ seq: after, at: time(row.updated_at), step: 'dns', detail: why.summary, problem: null }];
    },
  };
}

/** Without its Certificate cert-manager has nothing to be patient with; publishing writes it again. */
async function beginAnew(deps: ControlDeps, id: string): Promise<void> {
  await deps.restartDelegated?.(id);
  await deps.store.write((tx) => recordChange(tx, 'domain', id, deps.clock.now()));
}

/** Renders many rows with two queries beside theirs. */
async function renderer(deps: ControlDeps, rows: readonly DomainRow[]) {
  const ids = [...new Set(rows.flatMap(({ certificate_id }) => certificate_id ?? []))];
  const views = new Map((await deps.certificates.getMany(ids)).map((view) => [view.id, view]));
  const apps = new Map<string, AppRow>();
  for (const id of new Set(rows.map(({ app_id }) => app_id))) {
    const app = await appById(deps.store.db, id);
    if (app !== undefined) apps.set(id, app);
  }
  const now = deps.clock.now();
  return (row: DomainRow): Domain => {
    const app = apps.get(row.app_id) ?? { id: row.app_id, name: row.app_id, proof_token: '' };
    return domainDocument(row, app, views.get(row.certificate_id ?? ''), deps.domains, now);
  };
}

function autoStays(name: string): Fault {
  return new Fault({
    code: 'auto_domain',
    detail: `${name} is the app's own name and stays as long as the app`,
    party: 'client',
    retry: 'never',
    status: 409,
    field: 'domain',
  });
}
