import { COLLECTED_TABLES, type CollectedTable, collect } from '../store/acme-collection.ts';
import { deleteReplicas } from '../store/acme-replicas.ts';
import { appendAudit } from '../store/audit.ts';
import type { AcmeServerDeps } from './services.ts';

const DAY = 86_400_000;
/** How long things are kept after they are over: as long as somebody may ask what became of them. */
const KEPT: Record<CollectedTable, number> = {
  acme_order: 30 * DAY,
  acme_authorization: 30 * DAY,
  acme_limit: 0,
  acme_upstream_chain: 90 * DAY,
  ca_certificate: 90 * DAY,
};
const BATCH = 500;

/** Deletes what is long over, in small transactions so that no request waits for it. Idempotent; any replica may run it. */
export async function collectGarbage({
  store,
  clock,
}: Pick<AcmeServerDeps, 'store' | 'clock'>): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const table of COLLECTED_TABLES) {
    const before = clock.now() - KEPT[table];
    let total = 0;
    for (let deleted = BATCH; deleted === BATCH; total += deleted)
      deleted = await store.write((tx) => collect(tx, table, before, BATCH));
    if (total > 0) counts[table] = total;
  }
  await store.write(async (tx) => {
    const replicas = await deleteReplicas(tx, clock.now() - DAY);
    if (replicas > 0) counts.acme_replica = replicas;
    if (Object.keys(counts).length === 0) return;
    await appendAudit(tx, {
      actor: 'acme-system:gc',
      action: 'acme_server.collect',
      resource: 'acme_server',
      facts: counts,
      at: clock.now(),
    });
  });
  return counts;
}
