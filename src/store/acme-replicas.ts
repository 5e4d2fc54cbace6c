import type { Db } from './store.ts';

export interface AcmeReplicaRow {
  /** One life of one replica, hexadecimal. */
  readonly epoch: string;
  /** Where other replicas reach it, without a path. */
  readonly url: string | null;
  readonly alive_until: number;
  /** Left behind when it ended in good order: the next counter, and one bit for each of its newest nonces. */
  readonly next_nonce: number | null;
  readonly used_nonces: Uint8Array | null;
}

export interface AcmeReplicaTables {
  acme_replica: AcmeReplicaRow;
  acme_nonce_claim: { epoch: string; counter: number };
  acme_nonce_key: { slot: string; path: string };
}

export async function putReplica(tx: Db, row: AcmeReplicaRow): Promise<void> {
  const { epoch: _, ...values } = row;
  await tx
    .insertInto('acme_replica')
    .values(row)
    .onConflict((conflict) => conflict.column('epoch').doUpdateSet(values))
    .execute();
}

export const findReplica = (db: Db, epoch: string): Promise<AcmeReplicaRow | undefined> =>
  db.selectFrom('acme_replica').selectAll().where('epoch', '=', epoch).executeTakeFirst();

/** Whether this call was the first to claim a nonce of a replica that has ended. */
export async function claimNonce(tx: Db, epoch: string, counter: number): Promise<boolean> {
  const { numInsertedOrUpdatedRows = 0n } = await tx
    .insertInto('acme_nonce_claim')
    .values({ epoch, counter })
    .onConflict((conflict) => conflict.columns(['epoch', 'counter']).doNothing())
    .executeTakeFirst();
  return numInsertedOrUpdatedRows > 0n;
}

/** Forgets replicas that ended before `before`, with the claims on their nonces. */
export async function deleteReplicas(tx: Db, before: number): Promise<number> {
  const ended = await tx.selectFrom('acme_replica').select('epoch').where('alive_until', '<', before).execute();
  const epochs = ended.map(({ epoch }) => epoch);
  if (epochs.length === 0) return 0;
  await tx.deleteFrom('acme_nonce_claim').where('epoch', 'in', epochs).execute();
  await tx.deleteFrom('acme_replica').where('epoch', 'in', epochs).execute();
  return epochs.length;
}

const NONCE_KEY_SLOT = 'current';

export const nonceKeyPath = async (db: Db): Promise<string | undefined> =>
  (await db.selectFrom('acme_nonce_key').select('path').where('slot', '=', NONCE_KEY_SLOT).executeTakeFirst())?.path;

/** Takes the slot for the secret at `path`, unless another has it; answers whose path counts. */
export async function claimNonceKey(tx: Db, path: string): Promise<string> {
  await tx
    .insertInto('acme_nonce_key')
    .values({ slot: NONCE_KEY_SLOT, path })
    .onConflict((conflict) => conflict.column('slot').doNothing())
    .execute();
  return (await nonceKeyPath(tx))!;
}
