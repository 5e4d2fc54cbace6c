import type { Generated } from 'kysely';
import { sha256Hex } from '../base/index.ts';
import { compiled } from './compiled.ts';
import type { Db, Store } from './store.ts';

/** `done`: it happened. `refused`: the actor may not. `failed`: it was tried and did not work. */
export type AuditOutcome = 'done' | 'refused' | 'failed';

export interface AuditTables {
  audit_event: {
    seq: Generated<number>;
    at: number;
    actor: string;
    action: string;
    resource: string;
    outcome: AuditOutcome;
    /** JSON object. */
    facts: string;
    /** Number of the seal that covers it; null until sealed. */
    seal: number | null;
  };
  audit_seal: { number: number; at: number; events: number; digest: string };
}

export interface AuditEvent {
  /** `token:<id>`, `acme:<account>`, `acme-system:gc`, `system`. */
  readonly actor: string;
  /** What was done, as `<noun>.<verb>`: `domain.claim`, `certificate.revoke`. */
  readonly action: string;
  /** What it was done to: `domain:shop.example.com`, `acme_order:<id>`. */
  readonly resource: string;
  /** Circumstances, without secrets. */
  readonly facts?: Readonly<Record<string, unknown>>;
  /** `done` when absent. */
  readonly outcome?: AuditOutcome;
  readonly at: number;
}

export interface AuditRow {
  readonly seq: number;
  readonly at: number;
  readonly actor: string;
  readonly action: string;
  readonly resource: string;
  readonly outcome: AuditOutcome;
  readonly facts: string;
  readonly seal: number | null;
}

const insert = compiled((db) =>
  db
    .insertInto('audit_event')
    .values({ at: 0, actor: '', action: '', resource: '', outcome: 'done', facts: '', seal: 0 }),
);

/** Adds an event in the transaction of what it tells about. Waits for no other writer: the chain is made by `sealAudit`. */
export async function appendAudit(tx: Db, event: AuditEvent): Promise<void> {
  const { actor, action, resource, outcome = 'done', facts = {}, at } = event;
  await insert(tx, [at, actor, action, resource, outcome, JSON.stringify(facts), null]);
}

/** The digest that the first seal follows. */
export const AUDIT_GENESIS = sha256Hex('gatehouse audit v1');

/** Hex SHA-256 over the digest before it, the seal's number and time, and every event of the batch in order of `seq`. */
export function sealDigest(previous: string, number: number, at: number, events: readonly AuditRow[]): string {
  const lines = events.map((e) => JSON.stringify([e.seq, e.at, e.actor, e.action, e.resource, e.outcome, e.facts]));
  return sha256Hex([JSON.stringify([previous, number, at, events.length]), ...lines].join('\n'));
}

const MOST_EVENTS_PER_SEAL = 5_000;

/**
 * Seals the events that no seal covers yet; answers how many. A seal names its events one by one, so an event whose
 * transaction commits late (PostgreSQL hands out `seq` before the commit) goes into a later seal and breaks nothing.
 */
export async function sealAudit(store: Store, now: number): Promise<number> {
  const waiting = await store.db.selectFrom('audit_event').select('seq').where('seal', 'is', null).limit(1).execute();
  if (waiting.length === 0) return 0;
  return store.write(async (tx) => {
    const events = await tx
      .selectFrom('audit_event')
      .selectAll()
      .where('seal', 'is', null)
      .orderBy('seq')
      .limit(MOST_EVENTS_PER_SEAL)
      .execute();
    if (events.length === 0) return 0;
    const last = await lastSeal(tx);
    const number = (last?.number ?? 0) + 1;
    const digest = sealDigest(last?.digest ?? AUDIT_GENESIS, number, now, events);
    await tx.insertInto('audit_seal').values({ number, at: now, events: events.length, digest }).execute();
    await tx
      .updateTable('audit_event')
      .set({ seal: number })
      .where('seal', 'is', null)
      .where('seq', '<=', events.at(-1)!.seq)
      .execute();
    return events.length;
  });
}

export async function lastSeal(db: Db): Promise<AuditTables['audit_seal'] | undefined> {
  return db.selectFrom('audit_seal').selectAll().orderBy('number', 'desc').limit(1).executeTakeFirst();
}

/** What is wrong with the log, or that nothing is. `head` can be kept elsewhere, to prove later that no end was cut off. */
export interface AuditVerdict {
  readonly ok: boolean;
  readonly seals: number;
  readonly events: number;
  readonly unsealed: number;
  readonly head: string;
  readonly problem?: string;
}

/** Computes every seal again from its events, one at a time. */
export async function verifyAudit(db: Db): Promise<AuditVerdict> {
  let head = AUDIT_GENESIS;
  let seals = 0;
  let events = 0;
  let problem: string | undefined;
  while (problem === undefined) {
    const seal = await db
      .selectFrom('audit_seal')
      .selectAll()
      .where('number', '>', seals)
      .orderBy('number')
      .limit(1)
      .executeTakeFirst();
    if (seal === undefined) break;
    if (seal.number !== seals + 1) problem = `seal ${seals + 1} is missing`;
    const covered = await db
      .selectFrom('audit_event')
      .selectAll()
      .where('seal', '=', seal.number)
      .orderBy('seq')
      .execute();
    const digest = sealDigest(head, seal.number, seal.at, covered);
    if (problem === undefined && covered.length !== seal.events)
      problem = `seal ${seal.number} covers ${seal.events} events and ${covered.length} are there`;
    else if (problem === undefined && digest !== seal.digest)
      problem = `an event of seal ${seal.number}, or the seal itself, was changed (events ${covered[0]?.seq} to ${covered.at(-1)?.seq})`;
    head = digest;
    seals = seal.number;
    events += covered.length;
  }
  const { unsealed } = await db
    .selectFrom('audit_event')
    .select((e) => e.fn.countAll<number>().as('unsealed'))
    .where('seal', 'is', null)
    .executeTakeFirstOrThrow();
  const stray = await db.selectFrom('audit_event').select('seq').where('seal', '>', seals).limit(1).executeTakeFirst();
  if (problem === undefined && stray !== undefined) problem = `event ${stray.seq} has a seal that does not exist`;
  return { ok: problem === undefined, seals, events, unsealed: Number(unsealed), head, ...(problem && { problem }) };
}

export interface AuditFilter {
  readonly actor?: string;
  readonly action?: string;
  readonly resource?: string;
  readonly outcome?: AuditOutcome;
  readonly since?: number;
  readonly until?: number;
}

/** Newest first, those before `before`. */
export async function listAudit(
  db: Db,
  filter: AuditFilter,
  page: { before?: number; limit: number },
): Promise<AuditRow[]> {
  let query = db.selectFrom('audit_event').selectAll().orderBy('seq', 'desc').limit(page.limit);
  if (page.before !== undefined) query = query.where('seq', '<', page.before);
  if (filter.actor !== undefined) query = query.where('actor', '=', filter.actor);
  if (filter.action !== undefined) query = query.where('action', '=', filter.action);
  if (filter.resource !== undefined) query = query.where('resource', '=', filter.resource);
  if (filter.outcome !== undefined) query = query.where('outcome', '=', filter.outcome);
  if (filter.since !== undefined) query = query.where('at', '>=', filter.since);
  if (filter.until !== undefined) query = query.where('at', '<', filter.until);
  return query.execute();
}
