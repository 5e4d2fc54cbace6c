import type { Db } from './store.ts';

export interface DeliveryTables {
  /** What a publisher has last delivered of each item, and what was last seen there. */
  delivery: {
    publisher: string;
    /** Id of a route group, or of a certificate. */
    item: string;
    /** Digest of the group, or the certificate's version, that was delivered; null when it never was. */
    delivered: string | null;
    delivered_at: number | null;
    /** JSON of `FaultDetails`: why the last delivery failed; null when it went well. */
    problem: string | null;
    /** Hex SHA-256 of the leaf that the data plane last showed for the group's host. */
    seen: string | null;
    seen_at: number | null;
    /** Why the last look got no certificate, in words. */
    seen_problem: string | null;
    /** JSON of `Shown`: what the last look saw besides the leaf's digest. */
    seen_facts: string | null;
    /** Since when each look has seen the same. */
    seen_since: number | null;
  };
}

export type DeliveryRow = DeliveryTables['delivery'];

/** Notes outcomes of a delivery; what was seen stays as it is. */
export async function putDeliveries(
  tx: Db,
  publisher: string,
  outcomes: readonly Pick<DeliveryRow, 'item' | 'delivered' | 'delivered_at' | 'problem'>[],
): Promise<void> {
  const PER_STATEMENT = 100;
  for (let from = 0; from < outcomes.length; from += PER_STATEMENT)
    await tx
      .insertInto('delivery')
      .values(
        outcomes.slice(from, from + PER_STATEMENT).map((outcome) => ({
          ...outcome,
          publisher,
          seen: null,
          seen_at: null,
          seen_problem: null,
          seen_facts: null,
          seen_since: null,
        })),
      )
      .onConflict((conflict) =>
        conflict.columns(['item', 'publisher']).doUpdateSet((e) => ({
          problem: e.ref('excluded.problem'),
          // A failed delivery leaves in place, and on record, what was delivered before.
          delivered: e.fn.coalesce('excluded.delivered', 'delivery.delivered'),
          delivered_at: e.fn.coalesce('excluded.delivered_at', 'delivery.delivered_at'),
        })),
      )
      .execute();
}

export async function deleteDeliveries(tx: Db, publisher: string, items: readonly string[]): Promise<void> {
  if (items.length === 0) return;
  await tx
    .deleteFrom('delivery')
    .where('publisher', '=', publisher)
    .where('item', 'in', [...items])
    .execute();
}

export async function putSeen(
  tx: Db,
  publisher: string,
  item: string,
  seen: Pick<DeliveryRow, 'seen' | 'seen_problem' | 'seen_facts'> & { readonly seen_at: number },
): Promise<void> {
  const before = await tx
    .selectFrom('delivery')
    .select(['seen', 'seen_facts', 'seen_since'])
    .where('publisher', '=', publisher)
    .where('item', '=', item)
    .executeTakeFirst();
  const same = before !== undefined && before.seen === seen.seen && before.seen_facts === seen.seen_facts;
  const since = (same ? before.seen_since : null) ?? seen.seen_at;
  const facts = { ...seen, seen_since: since };
  await tx.updateTable('delivery').set(facts).where('publisher', '=', publisher).where('item', '=', item).execute();
}

/** Of all publishers. */
export async function deliveriesOf(db: Db, items: readonly string[]): Promise<DeliveryRow[]> {
  if (items.length === 0) return [];
  return db
    .selectFrom('delivery')
    .selectAll()
    .where('item', 'in', [...items])
    .orderBy('publisher')
    .execute();
}

/** In order of item, those after `after`. */
export async function listDeliveries(
  db: Db,
  publisher: string,
  page: { after?: string; limit: number },
): Promise<DeliveryRow[]> {
  let query = db
    .selectFrom('delivery')
    .selectAll()
    .where('publisher', '=', publisher)
    .orderBy('item')
    .limit(page.limit);
  if (page.after !== undefined) query = query.where('item', '>', page.after);
  return query.execute();
}
