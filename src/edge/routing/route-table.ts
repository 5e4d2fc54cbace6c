import type { Route } from '../../picture/index.ts';
import { createHostRoutes, type HostRoutes } from './host-routes.ts';

/** Hosts seen lately with their routes, so that a picture of 100,000 hosts costs memory only for those in use. */
export interface RouteTable<T> {
  /** Routes of a host (lower case, no port): its own, else those of the wildcard above it. */
  lookup(host: string): HostRoutes<T> | undefined;
  forget(hosts: Iterable<string> | 'all'): void;
  /** Counts up at each `forget`; what was looked up under an older number is looked up again. */
  readonly generation: number;
}

const MOST_HOSTS = 20_000;

/** `dispose` is called for each ready route that is left behind. */
export function createRouteTable<T>(
  routesOf: (host: string) => readonly Route[],
  ready: (route: Route) => T,
  dispose: (ready: T) => void,
): RouteTable<T> {
  const exact = new Map<string, HostRoutes<T> | undefined>();
  const wildcards = new Map<string, HostRoutes<T> | undefined>();
  let generation = 0;

  const drop = (cache: Map<string, HostRoutes<T> | undefined>, key: string) => {
    for (const route of cache.get(key)?.routes ?? []) dispose(route.with);
    cache.delete(key);
  };
  const cached = (cache: Map<string, HostRoutes<T> | undefined>, key: string) => {
    if (cache.has(key)) return cache.get(key);
    // Strangers choose the hosts they ask for; the oldest entry makes room.
    if (cache.size >= MOST_HOSTS) drop(cache, cache.keys().next().value!);
    const routes = routesOf(key);
    const host = routes.length === 0 ? undefined : createHostRoutes(routes, ready);
    cache.set(key, host);
    return host;
  };

  return {
    get generation() {
      return generation;
    },
    lookup(host) {
      const own = cached(exact, host);
      if (own !== undefined) return own;
      const dot = host.indexOf('.');
      return dot > 0 ? cached(wildcards, `*${host.slice(dot)}`) : undefined;
    },
    forget(hosts) {
      generation++;
      for (const cache of [exact, wildcards]) {
        for (const host of hosts === 'all' ? [...cache.keys()] : hosts) drop(cache, host);
      }
    },
  };
}

/** The host of an authority (`Shop.Example.com.:8443`) as route tables name it. */
export function hostOf(authority: string): string {
  const colon = authority.startsWith('[') ? authority.indexOf(':', authority.indexOf(']')) : authority.indexOf(':');
  let host = colon < 0 ? authority : authority.slice(0, colon);
  if (host.endsWith('.')) host = host.slice(0, -1);
  return host.toLowerCase();
}
