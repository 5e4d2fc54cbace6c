import type { Clock } from '../base/index.ts';
import { type Change, changesSince, latestChange } from './changes.ts';
import type { Store } from './store.ts';

/** Reads the change log from a position on. */
export interface ChangeFollower {
  /** Changes since the last call, at most a thousand or so at a time; empty when there are none. */
  next(): Promise<Change[]>;
  /** Number of the last change that was answered. */
  position(): number;
  /** Number up to which nothing can appear any more: from here on another follower misses nothing. */
  settled(): number;
}

const PER_READ = 1000;
// PostgreSQL gives numbers at the insert and shows rows at the commit, so a lower number can appear after a higher one.
// A number that stays away this long belonged to a transaction that was rolled back.
const LATE_MS = 60_000;
const MOST_AWAITED = 10_000;

/** A follower that starts with the change after `after`, or after the newest there is. */
export async function followChanges(store: Store, clock: Clock, after?: number): Promise<ChangeFollower> {
  let cursor = after ?? (await latestChange(store.db));
  const awaited = new Map<number, number>();
  const noteGaps = (changes: readonly Change[]) => {
    let expected = cursor + 1;
    for (const { seq } of changes) {
      for (; expected < seq && awaited.size < MOST_AWAITED; expected++) awaited.set(expected, clock.now());
      expected = seq + 1;
    }
  };
  const lateOnes = async (): Promise<Change[]> => {
    if (awaited.size === 0) return [];
    const found = await store.db
      .selectFrom('change_log')
      .selectAll()
      .where('seq', 'in', [...awaited.keys()].slice(0, PER_READ))
      .execute();
    for (const { seq } of found) awaited.delete(seq);
    for (const [seq, since] of awaited) if (clock.now() - since > LATE_MS) awaited.delete(seq);
    return found;
  };
  return {
    position: () => cursor,
    settled: () => Math.min(cursor, ...[...awaited.keys()].slice(0, 1).map((seq) => seq - 1)),
    async next() {
      const late = await lateOnes();
      const changes = await changesSince(store.db, cursor, PER_READ);
      if (store.dialect === 'postgres') noteGaps(changes);
      cursor = changes.at(-1)?.seq ?? cursor;
      return [...late, ...changes];
    },
  };
}
