import { limitKey } from './addresses.ts';

/** Connections open now, in all and per address. */
export interface ConnectionCount {
  /** Counts one in, or says which limit forbids it. */
  admit(address: string): 'connections' | 'connections_per_address' | undefined;
  release(address: string): void;
  /** Other workers have so many more, or fewer, of a limit key. */
  heard(key: string, count: number): void;
  forgetOthers(): void;
}

export function createConnectionCount(
  limits: () => { all: number; perAddress: number },
  exempt: (address: string) => boolean,
  told: (key: string, count: number) => void = () => {},
): ConnectionCount {
  const open = new Map<string, number>();
  const elsewhere = new Map<string, number>();
  let total = 0;
  let totalElsewhere = 0;
  return {
    admit(address) {
      const { all, perAddress } = limits();
      if (total + totalElsewhere >= all) return 'connections';
      const key = limitKey(address);
      const count = open.get(key) ?? 0;
      if (count + (elsewhere.get(key) ?? 0) >= perAddress && !exempt(address)) return 'connections_per_address';
      open.set(key, count + 1);
      total++;
      told(key, 1);
      return undefined;
    },
    release(address) {
      const key = limitKey(address);
      const count = open.get(key);
      if (count === undefined) return;
      total--;
      told(key, -1);
      if (count === 1) open.delete(key);
      else open.set(key, count - 1);
    },
    heard(key, count) {
      const now = (elsewhere.get(key) ?? 0) + count;
      totalElsewhere += count;
      if (now === 0) elsewhere.delete(key);
      else elsewhere.set(key, now);
    },
    forgetOthers() {
      elsewhere.clear();
      totalElsewhere = 0;
    },
  };
}
