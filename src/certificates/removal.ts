import { versionsOf } from '../store/certificate-versions.ts';
import { type CertificateRow, deleteCertificate } from '../store/certificates.ts';
import { recordChange } from '../store/index.ts';
import { namesOf, openOrderOf } from './facts.ts';
import type { Lease } from './lease.ts';
import type { Engine } from './ports.ts';
import { recordChangeBeside } from './wishes.ts';

/** Nothing has referred to it for the grace time: rows and keys go. */
export async function removeCertificate(engine: Engine, lease: Lease, row: CertificateRow): Promise<void> {
  const { store, secrets, clock, log } = engine;
  const versions = await versionsOf(store.db, row.id, 1000);
  const removed = await store.write(async (tx) => {
    const used = await tx
      .selectFrom('certificate_reference')
      .select('reference')
      .where('certificate_id', '=', row.id)
      .limit(1)
      .executeTakeFirst();
    // Somebody came to need it in the meantime.
    if (used !== undefined) return lease.update(tx, { unreferenced_at: null }).then(() => false);
    await lease.update(tx, { status: row.status });
    await deleteCertificate(tx, row.id);
    await recordChange(tx, 'certificate', row.id, clock.now());
    await recordChangeBeside(tx, namesOf(row), clock.now());
    return true;
  });
  if (!removed) return;
  // Last, since a key without a row is litter and a row without its key is an outage.
  const open = openOrderOf(row)?.keyPath;
  for (const path of [...versions.map((version) => version.key_path), ...(open === undefined ? [] : [open])])
    await secrets.delete(path);
  log.info({ certificate: row.id, names: namesOf(row) }, 'removed a certificate that nothing refers to');
}
