import { createHmac } from 'node:crypto';
import { errorText } from '../base/index.ts';
import {
  delayDelivery,
  deleteDeliveriesBefore,
  deleteDelivery,
  dueHeads,
  headDelivery,
  noteWebhook,
  type WebhookDeliveryRow,
  webhookById,
} from '../store/webhooks.ts';
import type { ControlDeps } from './context.ts';

/** Every receiver's own line: one delivery under way, the oldest first, and a pause after a failure that no other waits for. */
export interface WebhookLines {
  /** Starts a line for every receiver whose oldest delivery is due and that has none under way. */
  begin(): Promise<void>;
  /** Resolves when no line is under way any more. */
  ended(): Promise<void>;
}

const DELIVERY_TIMEOUT_MS = 10_000;
/** What an answer gets when the program ends meanwhile. */
const STOPPING_TIMEOUT_MS = 1_000;
/** Receivers served at once; what a silent one holds is a socket and a row. */
const MOST_LINES = 64;
/** A receiver that is away for a day still gets everything. */
const KEPT_MS = 86_400_000;
// 5 s, 20 s, 80 s … an hour.
const pauseAfter = (attempts: number) => Math.min(3_600_000, 5_000 * 4 ** Math.min(attempts - 1, 8));

export const webhookSecretPath = (id: string) => `webhooks/${id}`;

/** `webhook-signature`: `v1,` and base64 of HMAC-SHA-256 over `id.timestamp.body`. */
export function signWebhook(secret: Uint8Array, id: string, seconds: number, body: string): string {
  return `v1,${createHmac('sha256', secret).update(`${id}.${seconds}.${body}`).digest('base64')}`;
}

/** `onRoom` is called when a line ended, so that another may begin. */
export function createWebhookLines(deps: ControlDeps, signal: AbortSignal, onRoom: () => void): WebhookLines {
  const { store, clock, log } = deps;
  const busy = new Map<string, Promise<void>>();
  async function walk(first: WebhookDeliveryRow): Promise<void> {
    const webhook = first.webhook_id;
    try {
      for (let row: WebhookDeliveryRow | undefined = first; row !== undefined; ) {
        if (!(await deliver(deps, row, signal))) break;
        row = await headDelivery(store.db, webhook);
      }
      busy.delete(webhook);
      onRoom();
    } catch (error) {
      busy.delete(webhook);
      log.error({ webhook, problem: errorText(error) }, 'webhooks: a line broke off; it goes on with the next round');
    }
  }
  return {
    async begin() {
      const room = MOST_LINES - busy.size;
      if (room <= 0) return;
      const heads = await dueHeads(store.db, clock.now(), { except: [...busy.keys()], limit: room });
      for (const head of heads) busy.set(head.webhook_id, walk(head));
    },
    async ended() {
      await Promise.all(busy.values());
    },
  };
}

/** Whether the line may go on: it went well, or there is nothing to send any more. */
async function deliver(deps: ControlDeps, row: WebhookDeliveryRow, signal: AbortSignal): Promise<boolean> {
  const { store, clock, secrets, log } = deps;
  const hook = await webhookById(store.db, row.webhook_id);
  const secret = await secrets?.get(webhookSecretPath(row.webhook_id));
  if (hook === undefined || secret === undefined) {
    await store.write((tx) => deleteDelivery(tx, row.id));
    return true;
  }
  const { ok, words } = await send(deps, hook.url, row, secret, signal);
  // Stopped underway: it is sent again after the next start.
  if (signal.aborted && !ok) return false;
  const now = clock.now();
  const lost = await store.write(async (tx) => {
    await noteWebhook(tx, hook.id, words, now);
    if (ok) {
      await deleteDelivery(tx, row.id);
      return 0;
    }
    const attempts = row.attempts + 1;
    const old = await deleteDeliveriesBefore(tx, hook.id, now - KEPT_MS);
    // Which may be another one now: the pause is the receiver's.
    const head = await headDelivery(tx, hook.id);
    if (head !== undefined) await delayDelivery(tx, head.id, attempts, now + pauseAfter(attempts));
    return old;
  });
  if (lost > 0) log.warn({ webhook: hook.id, lost, last: words }, 'webhooks: gave up what is older than a day');
  return ok && !signal.aborted;
}

async function send(
  { clock }: ControlDeps,
  url: string,
  { id, body }: WebhookDeliveryRow,
  secret: Uint8Array,
  signal: AbortSignal,
): Promise<{ ok: boolean; words: string }> {
  const seconds = Math.floor(clock.now() / 1000);
  const done = new AbortController();
  const late = new AbortController();
  void (async () => {
    await clock.sleep(DELIVERY_TIMEOUT_MS, AbortSignal.any([signal, done.signal])).catch(() => {});
    if (signal.aborted) await clock.sleep(STOPPING_TIMEOUT_MS, done.signal).catch(() => {});
    if (!done.signal.aborted) late.abort(new Error(`no answer within ${DELIVERY_TIMEOUT_MS / 1000} s`));
  })();
  try {
    const response = await fetch(url, {
      method: 'POST',
      redirect: 'error',
      signal: late.signal,
      headers: {
        'content-type': 'application/json',
        'webhook-id': id,
        'webhook-timestamp': String(seconds),
        'webhook-signature': signWebhook(secret, id, seconds, body),
      },
      body,
    });
    await response.body?.cancel();
    return { ok: response.ok, words: `answered ${response.status}` };
  } catch (error) {
    return { ok: false, words: errorText(error).slice(0, 300) };
  } finally {
    done.abort();
  }
}
