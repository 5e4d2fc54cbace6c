import { certificateById } from '../store/certificates.ts';
import type { Db } from '../store/index.ts';
import type { Attempt } from './attempt.ts';
import { namesOf, type OpenOrder, openOrderOf } from './facts.ts';
import { giveBackQuota } from './quota-ledger.ts';

/** As it is now, and not as it was when the attempt began. */
export async function openOrderWithin(tx: Db, certificateId: string): Promise<OpenOrder | undefined> {
  const row = await certificateById(tx, certificateId);
  return row && openOrderOf(row);
}

/**
 * Another order takes the place of one that was kept, at another issuer or because its key is gone. What it took of the
 * quota is given back where the CA was never reached; one that the CA took may have led to a certificate, and counts.
 */
export async function setAside({ engine, issuers, row }: Attempt, tx: Db): Promise<OpenOrder | undefined> {
  const open = await openOrderWithin(tx, row.id);
  const issuer = issuers.get(open?.issuerId ?? '');
  if (open !== undefined && issuer !== undefined && open.url === undefined)
    await giveBackQuota(tx, issuer, namesOf(row), open.nature, {
      since: open.countedAt,
      now: engine.clock.now(),
      ordered: false,
    });
  return open;
}
