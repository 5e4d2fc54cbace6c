import { type Clock, errorText, type Fault, type Logger } from '../base/index.ts';
import { type DeliveryRow, deleteDeliveries, listDeliveries, putDeliveries } from '../store/deliveries.ts';
import type { Store } from '../store/index.ts';

/** Item -> what was delivered; null where the last attempt failed. */
export async function recordedDeliveries(store: Store, publisher: string): Promise<Map<string, string | null>> {
  const limit = 1000;
  const recorded = new Map<string, string | null>();
  for (let after: string | undefined; ; ) {
    const page = await listDeliveries(store.db, publisher, { limit, ...(after !== undefined && { after }) });
    for (const { item, delivered, problem } of page) recorded.set(item, problem === null ? delivered : null);
    if (page.length < limit) return recorded;
    after = page.at(-1)!.item;
  }
}

/** The record is for people to see; publishing does not wait for a store that cannot take it. */
export async function recordDeliveries(
  { store, clock, log }: { store: Store; clock: Clock; log: Logger },
  publisher: string,
  items: readonly string[],
  wanted: ReadonlyMap<string, string>,
  failed: ReadonlyMap<string, Fault>,
): Promise<void> {
  const now = clock.now();
  const outcomes = items.flatMap((item): Pick<DeliveryRow, 'item' | 'delivered' | 'delivered_at' | 'problem'>[] => {
    const fault = failed.get(item);
    if (fault !== undefined)
      return [{ item, delivered: null, delivered_at: null, problem: JSON.stringify(fault.details) }];
    const delivered = wanted.get(item);
    return delivered === undefined ? [] : [{ item, delivered, delivered_at: now, problem: null }];
  });
  const gone = items.filter((item) => !wanted.has(item) && !failed.has(item));
  try {
    await store.write(async (tx) => {
      await putDeliveries(tx, publisher, outcomes);
      await deleteDeliveries(tx, publisher, gone);
    });
  } catch (error) {
    log.warn({ publisher, error: errorText(error) }, 'could not note what was published');
  }
}
