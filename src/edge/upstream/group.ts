import type { Route } from '../../picture/index.ts';
import type { Pool, Pools } from './pools.ts';
import type { Target } from './target.ts';

/** One upstream of a route. */
export interface Member {
  readonly target: Target;
  readonly pool: Pool;
  readonly weight: number;
  /** Requests it has now from this route. */
  active: number;
  /** For smooth weighted round robin. */
  credit: number;
}

/** The upstreams of one route, and which is next. */
export interface Group {
  /** One to send to: not the one that just failed (`after`), if there is another. */
  choose(after: Member | undefined, tries: number): Member | undefined;
  hasOthers(member: Member): boolean;
  answered(member: Member, status: number): void;
  failed(member: Member, detail: string): void;
  close(): void;
}

export function createGroup(route: Route, pools: Pools): Group {
  const opened = route.upstreams.map((upstream) => ({ upstream, pool: pools.open(upstream, route) }));
  const members: Member[] = opened
    .filter(({ upstream }) => (upstream.weight ?? 1) > 0)
    .map(({ upstream, pool }) => ({ target: pool.target, pool, weight: upstream.weight ?? 1, active: 0, credit: 0 }));
  const only = members.length === 1 ? members[0] : undefined;
  const choose = route.balance === 'least-connections' ? leastConnections : roundRobin;
  const statuses = new Set(route.health?.passive?.statuses ?? []);

  return {
    choose(after, tries) {
      if (only !== undefined) return only;
      const well = members.filter((member) => member.pool.isHealthy());
      // With none well, trying is better than refusing.
      const able = well.length > 0 ? well : members;
      const others = tries > 0 && able.length > 1 ? able.filter((member) => member !== after) : able;
      return choose(others);
    },
    hasOthers: () => members.length > 1,
    answered(member, status) {
      if (statuses.size > 0 && statuses.has(status)) member.pool.failed(`it answered ${status}`);
      else member.pool.succeeded();
    },
    failed: (member, detail) => member.pool.failed(detail),
    close() {
      for (const { pool } of opened) pools.release(pool, route);
    },
  };
}

/** Smooth weighted round robin, as nginx does it: each gains its weight, the richest pays for all. */
export function roundRobin(members: readonly Member[]): Member | undefined {
  let best: Member | undefined;
  let total = 0;
  for (const member of members) {
    member.credit += member.weight;
    total += member.weight;
    if (best === undefined || member.credit > best.credit) best = member;
  }
  if (best !== undefined) best.credit -= total;
  return best;
}

/** The fewest requests for its weight; among equals in turn. */
export function leastConnections(members: readonly Member[]): Member | undefined {
  let least = Number.POSITIVE_INFINITY;
  for (const { active, weight } of members) least = Math.min(least, active / weight);
  return roundRobin(members.filter(({ active, weight }) => active / weight === least));
}
