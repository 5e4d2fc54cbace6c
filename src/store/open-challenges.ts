import type { Db } from './store.ts';

/** A challenge that is open, for the edges of every replica. The body is sealed: tls-alpn-01 has a key in it. */
export interface OpenChallengeRow {
  readonly type: string;
  /** Token of http-01, server name of tls-alpn-01. */
  readonly label: string;
  /** Who presents it. */
  readonly replica: string;
  readonly body: Uint8Array;
  readonly expires_at: number;
}

export interface OpenChallengeTables {
  open_challenge: OpenChallengeRow;
  /** Which replica's edge answers it, beside the one that presents it. */
  open_challenge_seen: { type: string; label: string; replica: string };
  /** Replicas that answer challenges. */
  challenge_replica: { id: string; alive_until: number };
}

type Label = Pick<OpenChallengeRow, 'type' | 'label'>;

export async function putOpenChallenge(tx: Db, row: OpenChallengeRow): Promise<void> {
  await removeOpenChallenge(tx, row);
  await tx.insertInto('open_challenge').values(row).execute();
}

export async function removeOpenChallenge(tx: Db, { type, label }: Label): Promise<void> {
  await tx.deleteFrom('open_challenge_seen').where('type', '=', type).where('label', '=', label).execute();
  await tx.deleteFrom('open_challenge').where('type', '=', type).where('label', '=', label).execute();
}

/** Those of other replicas. */
export const foreignChallenges = (db: Db, replica: string, now: number): Promise<OpenChallengeRow[]> =>
  db.selectFrom('open_challenge').selectAll().where('replica', '!=', replica).where('expires_at', '>', now).execute();

export async function noteChallengesSeen(tx: Db, replica: string, labels: readonly Label[]): Promise<void> {
  if (labels.length === 0) return;
  await tx
    .insertInto('open_challenge_seen')
    .values(labels.map(({ type, label }) => ({ type, label, replica })))
    .onConflict((conflict) => conflict.columns(['type', 'label', 'replica']).doNothing())
    .execute();
}

/** Other living replicas whose edges do not answer the challenge yet. */
export async function replicasWithout(db: Db, { type, label }: Label, replica: string, now: number): Promise<string[]> {
  const rows = await db
    .selectFrom('challenge_replica')
    .select('id')
    .where('id', '!=', replica)
    .where('alive_until', '>', now)
    .where('id', 'not in', (query) =>
      query.selectFrom('open_challenge_seen').select('replica').where('type', '=', type).where('label', '=', label),
    )
    .execute();
  return rows.map(({ id }) => id);
}

/** Keeps a replica known, and forgets what has ended. */
export async function keepChallengeReplica(tx: Db, id: string, aliveUntil: number, now: number): Promise<void> {
  await tx
    .insertInto('challenge_replica')
    .values({ id, alive_until: aliveUntil })
    .onConflict((conflict) => conflict.column('id').doUpdateSet({ alive_until: aliveUntil }))
    .execute();
  await tx.deleteFrom('challenge_replica').where('alive_until', '<=', now).execute();
  const ended = await tx.selectFrom('open_challenge').selectAll().where('expires_at', '<=', now).execute();
  for (const row of ended) await removeOpenChallenge(tx, row);
}

export async function removeChallengeReplica(tx: Db, id: string): Promise<void> {
  await tx.deleteFrom('challenge_replica').where('id', '=', id).execute();
}
