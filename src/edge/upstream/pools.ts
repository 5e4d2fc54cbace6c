import type { Clock, Logger } from '../../base/index.ts';
import type { Route, Upstream } from '../../picture/index.ts';
import type { PlaneSettings, UpstreamState } from '../plane/types.ts';
import { Pool } from './pool.ts';
import { parseTarget } from './target.ts';

export type { Pool } from './pool.ts';

/** All upstreams in use, each once however many routes lead to it. */
export interface Pools {
  open(upstream: Upstream, route: Route): Pool;
  /** The route no longer leads there. Connections end with their requests once no route does. */
  release(pool: Pool, route: Route): void;
  states(): UpstreamState[];
  /** Ends idle connections that are past their time, and connects that take too long. */
  tick(now: number): void;
  close(): void;
}

export interface PoolsOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly settings: () => PlaneSettings;
  readonly changed: (state: UpstreamState) => void;
}

export function createPools(options: PoolsOptions): Pools {
  const pools = new Map<string, { pool: Pool; routes: number }>();
  return {
    open(upstream, route) {
      const target = parseTarget(upstream);
      let entry = pools.get(target.key);
      if (entry === undefined) {
        entry = { pool: new Pool(target, options), routes: 0 };
        pools.set(target.key, entry);
      }
      entry.routes++;
      entry.pool.watch(route);
      return entry.pool;
    },
    release(pool, route) {
      const entry = pools.get(pool.target.key);
      if (entry === undefined) return;
      entry.pool.unwatch(route);
      if (--entry.routes > 0) return;
      pools.delete(pool.target.key);
      entry.pool.close();
    },
    states: () => [...pools.values()].map(({ pool }) => pool.state()),
    tick(now) {
      for (const { pool } of pools.values()) pool.tick(now);
    },
    close() {
      for (const { pool } of pools.values()) pool.close();
      pools.clear();
    },
  };
}
