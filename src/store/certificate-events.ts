import type { Generated } from 'kysely';
import { compiled } from './compiled.ts';
import type { Db } from './store.ts';

export interface CertificateEventTables {
  /** Every step of a certificate's life, in words. */
  certificate_event: {
    seq: Generated<number>;
    certificate_id: string;
    at: number;
    kind: CertificateEventKind;
    words: string;
    /** JSON object, without secrets. */
    facts: string;
  };
}

export const CERTIFICATE_EVENT_KINDS = [
  'wished',
  'attempt',
  'preflight',
  'account',
  'order',
  'authorization',
  'challenge',
  'validation',
  'finalize',
  'issued',
  'imported',
  'renewal',
  'problem',
  'revoked',
  'expired',
  'released',
  'finding',
] as const;
export type CertificateEventKind = (typeof CERTIFICATE_EVENT_KINDS)[number];

export interface CertificateEvent {
  readonly certificateId: string;
  readonly at: number;
  readonly kind: CertificateEventKind;
  readonly words: string;
  readonly facts?: Readonly<Record<string, unknown>>;
}

export interface CertificateEventRow {
  readonly seq: number;
  readonly certificate_id: string;
  readonly at: number;
  readonly kind: CertificateEventKind;
  readonly words: string;
  readonly facts: string;
}

const insert = compiled<object, [certificateId: string, at: number, kind: string, words: string, facts: string]>((db) =>
  db.insertInto('certificate_event').values({ certificate_id: '', at: 0, kind: 'wished', words: '', facts: '' }),
);

export async function appendEvent(tx: Db, event: CertificateEvent): Promise<void> {
  const { certificateId, at, kind, words, facts = {} } = event;
  await insert(tx, [certificateId, at, kind, words, JSON.stringify(facts)]);
}

/** In order of time, those after the sequence number `after`: a reader follows by asking again with its last one. */
export async function eventsOf(
  db: Db,
  certificateId: string,
  page: { after?: number; limit: number },
): Promise<CertificateEventRow[]> {
  let query = db
    .selectFrom('certificate_event')
    .selectAll()
    .where('certificate_id', '=', certificateId)
    .orderBy('seq')
    .limit(page.limit);
  if (page.after !== undefined) query = query.where('seq', '>', page.after);
  return query.execute();
}

/** The newest, newest first. */
export async function latestEvents(db: Db, certificateId: string, limit: number): Promise<CertificateEventRow[]> {
  return db
    .selectFrom('certificate_event')
    .selectAll()
    .where('certificate_id', '=', certificateId)
    .orderBy('seq', 'desc')
    .limit(limit)
    .execute();
}

const beyond = compiled<{ seq: number }, [certificateId: string, limit: number, keep: number]>((db) =>
  db
    .selectFrom('certificate_event')
    .select('seq')
    .where('certificate_id', '=', '')
    .orderBy('seq', 'desc')
    .limit(1)
    .offset(1),
);

/** Forgets all but the newest `keep`. */
export async function trimEvents(tx: Db, certificateId: string, keep: number): Promise<void> {
  const [last] = (await beyond(tx, [certificateId, 1, keep])).rows;
  if (last === undefined) return;
  await tx
    .deleteFrom('certificate_event')
    .where('certificate_id', '=', certificateId)
    .where('seq', '<=', last.seq)
    .execute();
}
