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
  /** `next_at` null: given up; a delivery that went well is removed. */
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

export async function dueDeliveries(db: Db, now: number, limit: number): Promise<WebhookDeliveryRow[]> {
  return db
    .selectFrom('webhook_delivery')
    .selectAll()
    .where('next_at', '<=', now)
    .orderBy('next_at')
    .limit(limit)
    .execute();
}

export async function deleteDelivery(tx: Db, id: string): Promise<void> {
  await tx.deleteFrom('webhook_delivery').where('id', '=', id).execute();
}

export async function delayDelivery(tx: Db, id: string, attempts: number, nextAt: number | null): Promise<void> {
  await tx.updateTable('webhook_delivery').set({ attempts, next_at: nextAt }).where('id', '=', id).execute();
}
