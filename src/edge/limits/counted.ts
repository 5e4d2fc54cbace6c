/** What a worker counted since it said so last, for the others of the machine: limit key and number. */
export interface Counted {
  /** Requests that took a token. */
  readonly requests: readonly (readonly [string, number])[];
  /** Connections that came, less those that went. */
  readonly connections: readonly (readonly [string, number])[];
  /** These are all that others have, instead of what was heard before. */
  readonly whole?: true;
}

// Under a flood from more addresses, each has its share of what one message carries; the next goes on.
const MOST_KEYS = 2_000;

/** Numbers by key that wait to be told. */
export interface Untold {
  add(key: string, count: number): void;
  take(): [string, number][];
}

export function createUntold(): Untold {
  const numbers = new Map<string, number>();
  return {
    add(key, count) {
      const now = (numbers.get(key) ?? 0) + count;
      if (now === 0) numbers.delete(key);
      else numbers.set(key, now);
    },
    take() {
      const taken: [string, number][] = [];
      for (const entry of numbers) {
        if (taken.length >= MOST_KEYS) break;
        numbers.delete(entry[0]);
        taken.push(entry);
      }
      return taken;
    },
  };
}

/** The supervisor's part: passes on what each worker counted, and takes back what one that ended had open. */
export interface CountExchange {
  heard(pid: number, counted: Counted): void;
  ended(pid: number): void;
  /** All that the others have open, for a worker that is new. */
  openElsewhere(pid: number): Counted;
}

export function createCountExchange(tellOthers: (pid: number, counted: Counted) => void): CountExchange {
  const open = new Map<number, Map<string, number>>();
  return {
    heard(pid, counted) {
      const own = open.get(pid) ?? new Map<string, number>();
      open.set(pid, own);
      for (const [key, count] of counted.connections) {
        const now = (own.get(key) ?? 0) + count;
        if (now === 0) own.delete(key);
        else own.set(key, now);
      }
      tellOthers(pid, counted);
    },
    ended(pid) {
      const own = [...(open.get(pid) ?? [])];
      open.delete(pid);
      if (own.length > 0) tellOthers(pid, { requests: [], connections: own.map(([key, count]) => [key, -count]) });
    },
    openElsewhere: (pid) => ({
      requests: [],
      connections: [...open].flatMap(([other, counts]) => (other === pid ? [] : [...counts])),
      whole: true,
    }),
  };
}
