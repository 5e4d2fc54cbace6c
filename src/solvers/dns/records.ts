import { type Clock, errorText, Fault, faultOf, type Logger, newId } from '../../base/index.ts';
import {
  type DnsRecordRow,
  deleteDnsRecord,
  dnsRecordIsShared,
  dnsRecordsDue,
  dnsRecordsOf,
  insertDnsRecords,
  nextDnsRecordDue,
  updateDnsRecord,
} from '../../store/dns-records.ts';
import type { Store } from '../../store/index.ts';
import type { DnsCredentials } from './credentials.ts';
import { createGate } from './gate.ts';
import type { DnsRecordPlace } from './port.ts';
import type { DnsProvider, ProviderZone } from './provider.ts';

/** A value and the provider that it goes to. */
export interface PlacedRecord extends DnsRecordPlace {
  readonly zoneRef: string;
  readonly provider: DnsProvider;
}

/** Our records at providers, each noted in the store before it is written and forgotten after it is gone. */
export interface DnsRecords {
  /** Writes all of them; when one cannot be written, removes those that were and throws its `Fault`. */
  write(owner: string, places: readonly PlacedRecord[], signal: AbortSignal): Promise<string>;
  /** Writes again what was lost, where doing so twice leaves one record. */
  rewrite(presentationId: string, values: ReadonlySet<string>, signal: AbortSignal): Promise<void>;
  /** Removes those of a presentation; what cannot be removed now stays noted and is tried again. */
  remove(presentationId: string): Promise<void>;
  /** Removes those that nobody removed in time; answers when the next one is due. */
  sweep(signal?: AbortSignal): Promise<number | undefined>;
}

// Longer than any challenge takes; then its process is taken for dead.
const ABANDONED_AFTER_MS = 3600_000;
const REMOVAL_MS = 120_000;
const SWEEP_BATCH = 50;
const AT_ONCE_IN_A_ZONE = 5;
const LONGEST_PAUSE_MS = 6 * 3600_000;

export function createDnsRecords(context: {
  readonly store: Store;
  readonly credentials: DnsCredentials;
  readonly clock: Clock;
  readonly log: Logger;
  /** When a record that is due is to be looked at again; undefined where it is to go. */
  readonly keeps?: (row: DnsRecordRow) => Promise<number | undefined>;
}): DnsRecords {
  const { store, credentials, clock, log } = context;
  // Sets of values are replaced as a whole by some APIs: one change at a time at a name, a few in a zone.
  const gate = createGate(AT_ONCE_IN_A_ZONE);
  const inTurn = <T>(row: DnsRecordRow, work: () => Promise<T>) => gate(row.zone, row.name, work);

  async function writeOne(row: DnsRecordRow, provider: DnsProvider, signal: AbortSignal): Promise<void> {
    const ref = await inTurn(row, () => provider.add(zoneOf(row), row, signal));
    await store.write((tx) => updateDnsRecord(tx, row.id, { state: 'present', provider_ref: ref ?? null }));
  }

  async function removeOne(row: DnsRecordRow, signal: AbortSignal): Promise<void> {
    try {
      await store.write((tx) => updateDnsRecord(tx, row.id, { state: 'leaving' }));
      if (!(await dnsRecordIsShared(store.db, row))) {
        const provider = await credentials.open(row.credential_id);
        await inTurn(row, () => provider.remove(zoneOf(row), row, row.provider_ref ?? undefined, signal));
      }
      await store.write((tx) => deleteDnsRecord(tx, row.id));
    } catch (error) {
      const attempts = row.attempts + 1;
      const due_at = clock.now() + Math.min(60_000 * 2 ** row.attempts, LONGEST_PAUSE_MS);
      await store.write((tx) => updateDnsRecord(tx, row.id, { attempts, due_at, problem: errorText(error) }));
      const facts = { name: row.name, credential: row.credential_id, attempts, problem: faultOf(error).message };
      log.warn(facts, 'a TXT record of ours could not be removed; it is tried again');
    }
  }

  async function removeUnlessKept(row: DnsRecordRow, signal: AbortSignal): Promise<void> {
    const due_at = await context.keeps?.(row);
    if (due_at === undefined) return removeOne(row, signal);
    await store.write((tx) => updateDnsRecord(tx, row.id, { due_at }));
  }

  return {
    async write(owner, places, signal) {
      const now = clock.now();
      const presentationId = newId('dnspres', now);
      const rows = places.map((place) => rowOf(place, presentationId, owner, now));
      await store.write((tx) => insertDnsRecords(tx, rows));
      const outcomes = await Promise.allSettled(
        rows.map((row, index) => writeOne(row, places[index]!.provider, signal)),
      );
      const failed = outcomes.find((outcome) => outcome.status === 'rejected');
      if (failed === undefined) return presentationId;
      await this.remove(presentationId);
      signal.throwIfAborted();
      throw failed.reason instanceof Fault ? failed.reason : faultOf(failed.reason);
    },
    async rewrite(presentationId, values, signal) {
      const rows = await dnsRecordsOf(store.db, presentationId);
      // A provider that gives ids would make a second record.
      for (const row of rows.filter(({ provider_ref, value }) => provider_ref === null && values.has(value)))
        await writeOne(row, await credentials.open(row.credential_id), signal);
    },
    async remove(presentationId) {
      // Not the caller's signal: what was written is removed even when the order was given up.
      const rows = await dnsRecordsOf(store.db, presentationId);
      await Promise.all(rows.map((row) => removeOne(row, AbortSignal.timeout(REMOVAL_MS))));
    },
    async sweep(signal) {
      for (;;) {
        const due = await dnsRecordsDue(store.db, clock.now(), SWEEP_BATCH);
        const within = AbortSignal.any([AbortSignal.timeout(REMOVAL_MS), ...(signal === undefined ? [] : [signal])]);
        await Promise.all(due.map((row) => removeUnlessKept(row, within)));
        if (due.length < SWEEP_BATCH || within.aborted) return nextDnsRecordDue(store.db);
      }
    },
  };
}

const zoneOf = (row: DnsRecordRow): ProviderZone => ({ name: row.zone, ref: row.zone_ref });

function rowOf(place: PlacedRecord, presentationId: string, owner: string, now: number): DnsRecordRow {
  return {
    id: newId('dnsrec', now),
    presentation_id: presentationId,
    owner,
    credential_id: place.credentialId,
    zone: place.zone,
    zone_ref: place.zoneRef,
    name: place.name,
    asked_name: place.askedName,
    value: place.value,
    provider_ref: null,
    state: 'planned',
    attempts: 0,
    due_at: now + ABANDONED_AFTER_MS,
    problem: null,
    created_at: now,
  };
}
