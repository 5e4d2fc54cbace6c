import { randomBytes } from 'node:crypto';
import { createBell, errorText, newId } from '../base/index.ts';
import type { CreatedWebhook, CreateWebhook, Webhook } from '../contract/index.ts';
import { appById } from '../store/apps.ts';
import { type DomainRow, domainById, domainsByCertificate } from '../store/domains.ts';
import {
  appendAudit,
  type ChangeFollower,
  followChanges,
  followedUntil,
  latestChange,
  noteFollowed,
} from '../store/index.ts';
import {
  deleteWebhook,
  insertDelivery,
  insertWebhook,
  listWebhooks,
  type WebhookRow,
  webhookById,
} from '../store/webhooks.ts';
import { type Actor, requirePermission, requireUnscoped } from './actor.ts';
import { absent, auditEvent, type ControlDeps, guarded, invalid, notFound } from './context.ts';
import { time, timeOrNull } from './documents.ts';
import { domainDocument } from './domain-document.ts';
import { createWebhookLines, webhookSecretPath } from './webhook-lines.ts';

export interface WebhookUseCases {
  list(actor: Actor): Promise<Webhook[]>;
  create(actor: Actor, input: CreateWebhook): Promise<CreatedWebhook>;
  remove(actor: Actor, id: string): Promise<void>;
  /** Notices changes of status and delivers them, until the signal says stop. */
  run(signal: AbortSignal): Promise<void>;
}

/** Name under which is kept how far changes were announced: a change that a killed process left is announced later. */
const FOLLOWER = 'webhooks';
/** Other processes' commits ring no bell here, so the change log is looked at this often anyway. */
const LOOK_EVERY_MS = 2_000;
/** Between two rounds, so that many changes are one round's work. */
const REST_MS = 25;

/** Status changes of domains as signed requests, in the form of the Standard Webhooks specification. */
export function createWebhookUseCases(deps: ControlDeps): WebhookUseCases {
  const { store, clock, log } = deps;
  const act = (verb: string, resource: string, facts = {}) => ({
    permission: 'apps.manage' as const,
    action: `webhook.${verb}`,
    resource: `webhook:${resource.slice(0, 100)}`,
    facts,
  });
  return {
    async list(actor) {
      requirePermission(actor, 'apps.read');
      requireUnscoped(actor, 'the list of webhooks');
      return (await listWebhooks(store.db)).map(document);
    },
    create: (actor, input) =>
      guarded(deps, actor, act('create', 'new'), async () => {
        requireUnscoped(actor, 'making a webhook');
        if (deps.secrets === undefined) throw absent('sending webhooks');
        const url = parseTarget(input.url);
        if (input.app !== undefined && (await appById(store.db, input.app)) === undefined)
          throw invalid('app', 'unknown_app', `there is no app ${input.app}`, 'gatehouse apps list');
        const now = clock.now();
        const secret = randomBytes(32);
        const row = {
          id: newId('whk', now),
          url,
          app_id: input.app ?? null,
          created_at: now,
          last_status: null,
          last_at: null,
        };
        await deps.secrets.put(webhookSecretPath(row.id), secret);
        await store.write(async (tx) => {
          // The first one is told of what changes from now on.
          if ((await listWebhooks(tx)).length === 0) await noteFollowed(tx, FOLLOWER, await latestChange(tx));
          await insertWebhook(tx, row);
          await appendAudit(tx, auditEvent(actor, act('create', row.id, { url, app: row.app_id }), now));
        });
        return { ...document(row), secret: `whsec_${secret.toString('base64')}` };
      }),
    remove: (actor, id) =>
      guarded(deps, actor, act('remove', id), async () => {
        requireUnscoped(actor, 'removing a webhook');
        if ((await webhookById(store.db, id)) === undefined) throw notFound('webhook', id);
        await store.write(async (tx) => {
          await deleteWebhook(tx, id);
          await appendAudit(tx, auditEvent(actor, act('remove', id), clock.now()));
        });
        await deps.secrets?.delete(webhookSecretPath(id));
      }),
    async run(signal) {
      const bell = createBell(clock);
      const lines = createWebhookLines(deps, signal, () => bell.ring());
      const stopListening = store.onChange(() => bell.ring());
      let follower = await followChanges(store, clock, await followedUntil(store.db, FOLLOWER));
      let announced = follower.settled();
      while (!signal.aborted) {
        try {
          await announce(deps, follower);
          announced = follower.settled();
          await lines.begin();
        } catch (error) {
          log.error({ problem: errorText(error) }, 'webhooks: a round failed; the next one begins as usual');
          follower = await followChanges(store, clock, announced);
        }
        await clock
          .sleep(REST_MS, signal)
          .then(() => bell.wait(LOOK_EVERY_MS, signal))
          .catch(() => {});
      }
      stopListening();
      await lines.ended();
    },
  };
}

const document = (row: WebhookRow): Webhook => ({
  id: row.id,
  url: row.url,
  app: row.app_id,
  last_status: row.last_status,
  last_at: timeOrNull(row.last_at),
  created_at: time(row.created_at),
});

function parseTarget(text: string): string {
  const url = URL.parse(text);
  if (
    url === null ||
    (url.protocol !== 'https:' && url.protocol !== 'http:') ||
    url.username !== '' ||
    url.password !== ''
  )
    throw invalid(
      'url',
      'invalid_url',
      `${JSON.stringify(text.slice(0, 200))} is no URL to send to`,
      'give https://host/path, without user name and password',
    );
  return url.href;
}

/** Queues a delivery for every domain whose state differs from the last that was announced. */
async function announce(deps: ControlDeps, follower: ChangeFollower): Promise<void> {
  const { store } = deps;
  const changes = await follower.next();
  const hooks = changes.length === 0 ? [] : await listWebhooks(store.db);
  const rows = new Map<string, DomainRow>();
  for (const { kind, key } of hooks.length === 0 ? [] : changes) {
    const found =
      kind === 'domain'
        ? [await domainById(store.db, key)]
        : kind === 'certificate'
          ? await domainsByCertificate(store.db, key)
          : [];
    for (const row of found) if (row !== undefined) rows.set(row.id, row);
  }
  for (const row of rows.values()) await announceDomain(deps, row, hooks);
  if (rows.size > 0) await store.write((tx) => noteFollowed(tx, FOLLOWER, follower.settled()));
}

async function announceDomain(deps: ControlDeps, row: DomainRow, hooks: readonly WebhookRow[]): Promise<void> {
  const { store, clock, certificates } = deps;
  const app = await appById(store.db, row.app_id);
  if (app === undefined) return;
  const view = row.certificate_id === null ? undefined : await certificates.get(row.certificate_id);
  const now = clock.now();
  const { domain, tls_status, dns_configured, claim, why } = domainDocument(row, app, view, deps.domains, now);
  const announced = `${tls_status} ${dns_configured} ${claim.state}`;
  const wanted = hooks.filter(({ app_id }) => app_id === null || app_id === app.id);
  await store.write(async (tx) => {
    const current = await domainById(tx, row.id);
    // Another replica may have told of it already.
    if (current === undefined || current.announced === announced) return;
    await tx.updateTable('domain').set({ announced }).where('id', '=', row.id).execute();
    for (const { id: webhookId } of wanted) {
      const id = newId('msg', now);
      const data = { domain, app: app.id, tls_status, dns_configured, claim: claim.state, why };
      const body = JSON.stringify({ type: 'domain.status', timestamp: time(now), data });
      await insertDelivery(tx, { id, webhook_id: webhookId, body, attempts: 0, next_at: now, created_at: now });
    }
  });
}
