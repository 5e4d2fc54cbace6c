import { limitKey } from './addresses.ts';

/** Connections open now, in all and per address. */
export interface ConnectionCount {
  /** Counts one in, or says which limit forbids it. */
  admit(address: string): 'connections' | 'connections_per_address' | undefined;
  release(address: string): void;
}

export function createConnectionCount(
  limits: () => { all: number; perAddress: number },
  exempt: (address: string) => boolean,
): ConnectionCount {
  const open = new Map<string, number>();
  let total = 0;
  return {
    admit(address) {
      const { all, perAddress } = limits();
      if (total >= all) return 'connections';
      const key = limitKey(address);
      const count = open.get(key) ?? 0;
      if (count >= perAddress && !exempt(address)) return 'connections_per_address';
      open.set(key, count + 1);
      total++;
      return undefined;
    },
    release(address) {
      const key = limitKey(address);
      const count = open.get(key);
      if (count === undefined) return;
      total--;
      if (count === 1) open.delete(key);
      else open.set(key, count - 1);
    },
  };
}
