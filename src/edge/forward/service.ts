import type { Route } from '../../picture/index.ts';
import { createGate, type Gate } from '../limits/concurrency.ts';
import type { Fields } from '../message/head.ts';
import { createGroup, type Group } from '../upstream/group.ts';
import type { Pools } from '../upstream/pools.ts';
import { blockOf, type ReadyRules, readyRules } from './field-rules.ts';

/** A route made ready to be followed: rules as bytes, upstreams as pools, limits resolved but for the plane's own. */
export interface Service {
  readonly route: Route;
  readonly group: Group;
  readonly gate: Gate | undefined;
  readonly waitMs: number;
  readonly requestRules: ReadyRules;
  readonly requestExtra: Fields | undefined;
  readonly responseRules: ReadyRules;
  readonly responseExtra: Fields | undefined;
  /** Without HSTS, for connections without TLS. */
  readonly responseExtraPlain: Fields | undefined;
  /** Ours replaces the upstream's Strict-Transport-Security. */
  readonly hsts: boolean;
  readonly fixedHost: string | undefined;
  readonly ownHost: boolean;
  readonly stripped: string;
}

const DEFAULT_QUEUE_WAIT_MS = 10_000;

export function createService(route: Route, pools: Pools): Service {
  const requestRules = readyRules(route.request?.headers);
  const responseRules = readyRules(route.response?.headers);
  const hsts = hstsField(route);
  const concurrency = route.limits?.concurrency;
  const host = route.request?.host ?? 'client';
  return {
    route,
    group: createGroup(route, pools),
    gate: concurrency === undefined ? undefined : createGate(concurrency.active, concurrency.queue ?? 0),
    waitMs: concurrency?.waitMs ?? DEFAULT_QUEUE_WAIT_MS,
    requestRules,
    requestExtra: blockOf(requestRules.set),
    responseRules,
    responseExtra: blockOf([...responseRules.set, ...hsts]),
    responseExtraPlain: blockOf(responseRules.set),
    hsts: hsts.length > 0,
    fixedHost: typeof host === 'object' ? host.fixed : undefined,
    ownHost: host === 'upstream',
    stripped: route.request?.stripPrefix === true ? route.path.replace(/\/$/, '') : '',
  };
}

function hstsField(route: Route): [string, string][] {
  const hsts = route.response?.hsts;
  if (hsts === undefined) return [];
  const parts = [`max-age=${Math.max(0, Math.floor(hsts.maxAgeSeconds))}`];
  if (hsts.includeSubDomains) parts.push('includeSubDomains');
  if (hsts.preload) parts.push('preload');
  return [['strict-transport-security', parts.join('; ')]];
}

/** Ends what a service keeps running, such as health checks; requests under way are not touched. */
export function disposeService(service: Service): void {
  service.group.close();
}
