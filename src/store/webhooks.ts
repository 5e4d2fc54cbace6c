import type { Db } from './store.ts';

export interface WebhookTables {
  /** `app_id` null: events of every app. Its signing secret rests in the secret store under `webhooks/<id>`. */
  webhook: {
    id: string;
    url: string;
    app_id: string | null;
    created_at: number;
    last_status: string | null;
    last_at: number | null;
  };
  /**
   * One that went well, or was given up, is removed. Only the oldest of a webhook is ever tried, so `attempts` and
   * `next_at` of that one are the receiver's own. `next_at` null: given up by an older version.
   */
  webhook_delivery: {
    id: string;
    webhook_id: string;
    body: string;
    attempts: number;
    next_at: number | null;
    created_at: number;
  };
}

export type WebhookRow = WebhookTables['webhook'];
export type WebhookDeliveryRow = WebhookTables['webhook_delivery'];

export async function listWebhooks(db: Db): Promise<WebhookRow[]> {
  return db.selectFrom('webhook').selectAll().orderBy('id').execute();
}

export async function webhookById(db: Db, id: string): Promise<WebhookRow | undefined> {
  return db.selectFrom('webhook').selectAll().where('id', '=', id).executeTakeFirst();
}

export async function insertWebhook(tx: Db, row: WebhookRow): Promise<void> {
  await tx.insertInto('webhook').values(row).execute();
}

export async function deleteWebhook(tx: Db, id: string): Promise<void> {
  await tx.deleteFrom('webhook_delivery').where('webhook_id', '=', id).execute();
  await tx.deleteFrom('webhook').where('id', '=', id).execute();
}

export async function noteWebhook(tx: Db, id: string, status: string, now: number): Promise<void> {
  await tx.updateTable('webhook').set({ last_status: status, last_at: now }).where('id', '=', id).execute();
}

export async function insertDelivery(tx: Db, row: WebhookDeliveryRow): Promise<void> {
  await tx.insertInto('webhook_delivery').values(row).execute();
}

/** The oldest delivery of each webhook that is due, but for the webhooks `except`; oldest first. */
export async function dueHeads(
  db: Db,
  now: number,
  { except, limit }: { except: readonly string[]; limit: number },
): Promise<WebhookDeliveryRow[]> {
  let query = db
    .selectFrom('webhook')
    .innerJoin('webhook_delivery', (join) =>
      join.on((on) =>
        on(
          'webhook_delivery.id',
          '=',
          on
            .selectFrom('webhook_delivery as queued')
            .select(({ fn }) => fn.min('queued.id').as('id'))
            .whereRef('queued.webhook_id', '=', 'webhook.id')
            .where('queued.next_at', 'is not', null),
        ),
      ),
    )
    .selectAll('webhook_delivery')
    .where('webhook_delivery.next_at', '<=', now)
    .orderBy('webhook_delivery.next_at')
    .limit(limit);
  if (except.length > 0) query = query.where('webhook.id', 'not in', except);
  return query.execute();
}

/** The oldest delivery of one webhook; it goes before all others. */
export async function headDelivery(db: Db, webhookId: string): Promise<WebhookDeliveryRow | undefined> {
  return db
    .selectFrom('webhook_delivery')
    .selectAll()
    .where('webhook_id', '=', webhookId)
    .where('next_at', 'is not', null)
    .orderBy('id')
    .limit(1)
    .executeTakeFirst();
}

/** Returns how many were given up. */
export async function deleteDeliveriesBefore(tx: Db, webhookId: string, before: number): Promise<number> {
  const { numDeletedRows } = await tx
    .deleteFrom('webhook_delivery')
    .where('webhook_id', '=', webhookId)
    .where('created_at', '<=', before)
    .executeTakeFirst();
  return Number(numDeletedRows);
}

export async function deleteDelivery(tx: Db, id: string): Promise<void> {
  await tx.deleteFrom('webhook_delivery').where('id', '=', id).execute();
}

export async function delayDelivery(tx: Db, id: string, attempts: number, nextAt: number): Promise<void> {
  await tx.updateTable('webhook_delivery').set({ attempts, next_at: nextAt }).where('id', '=', id).execute();
}
