import type { Route } from '../../picture/index.ts';

/** One route made ready: `T` is what the forwarder keeps with it. */
export interface ReadyRoute<T> {
  readonly route: Route;
  readonly path: string;
  readonly with: T;
}

/** The routes of one host, longest path first. */
export interface HostRoutes<T> {
  readonly routes: readonly ReadyRoute<T>[];
  /** There is but one, for every path: nothing to look at in a request. */
  readonly whole: ReadyRoute<T> | undefined;
}

export function createHostRoutes<T>(routes: readonly Route[], ready: (route: Route) => T): HostRoutes<T> {
  const sorted = routes
    .map((route) => ({ route, path: withoutFinalSlash(route.path), with: ready(route) }))
    // The same path twice: the smaller id, so that every worker chooses alike.
    .sort((a, b) => b.path.length - a.path.length || (a.route.id < b.route.id ? -1 : 1));
  const only = sorted.length === 1 && sorted[0]!.path === '' ? sorted[0] : undefined;
  return { routes: sorted, whole: only };
}

const withoutFinalSlash = (path: string) => (path.endsWith('/') ? path.slice(0, -1) : path);

/** What a path leads to; `ambiguous` when another reading of it, as an upstream may have, leads elsewhere. */
export type PathMatch<T> = ReadyRoute<T> | 'ambiguous' | undefined;

export function matchPath<T>(host: HostRoutes<T>, target: string): PathMatch<T> {
  if (host.whole !== undefined) return host.whole;
  const query = target.indexOf('?');
  const path = query < 0 ? target : target.slice(0, query);
  const asWritten = longestPrefix(host, path);
  if (!NEEDS_READING.test(path)) return asWritten;
  const asRead = longestPrefix(host, readPath(path));
  return asRead === asWritten ? asWritten : 'ambiguous';
}

function longestPrefix<T>(host: HostRoutes<T>, path: string): ReadyRoute<T> | undefined {
  for (const ready of host.routes) {
    const prefix = ready.path;
    if (path.startsWith(prefix) && (path.length === prefix.length || path.charCodeAt(prefix.length) === 0x2f)) {
      return ready;
    }
    // `OPTIONS *` is for the server as a whole.
    if (prefix === '') return ready;
  }
  return undefined;
}

const NEEDS_READING = /%|\/\.|\/\/|\\/;

/** The path as servers commonly read it: decoded, with dot segments, empty segments and backslashes resolved. */
function readPath(path: string): string {
  const decoded = path.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  const segments: string[] = [];
  for (const segment of decoded.replaceAll('\\', '/').split('/')) {
    const name = segment.split(';')[0]!;
    if (name === '..') segments.pop();
    else if (segment !== '' && name !== '.') segments.push(segment);
  }
  return `/${segments.join('/')}`;
}
