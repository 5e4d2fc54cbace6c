import { sha256Hex } from '../base/index.ts';
import type { Route } from '../picture/index.ts';
import type { Change } from '../store/index.ts';

/** Everything that is derived from one domain or one exposure: what publishers deliver, and withdraw, as a whole. */
export interface RouteGroup {
  /** Id of what it comes from: a domain or an exposure. */
  readonly id: string;
  readonly host: string;
  readonly origin: RouteOrigin;
  /** The first has the group's id, others `<group id>/<number>`. */
  readonly routes: readonly Route[];
  /** The wish that is meant to cover `host`. */
  readonly certificateId?: string;
  /** What a publisher that leaves issuing to another (cert-manager) needs to know. */
  readonly issuer?: string;
}

export type RouteOrigin =
  | { readonly kind: 'domain'; readonly appId: string; readonly appName: string }
  | { readonly kind: 'exposure'; readonly name: string };

/** Where groups come from. Every method reads committed state only. */
export interface RouteSource {
  /** The prefix of its groups' ids, by which a group is asked of the source that has it. */
  readonly idPrefix: string;
  /** Ids of the groups that a change may have altered; ids of groups that are gone count. */
  touchedBy(change: Change): Promise<readonly string[]>;
  /** Those of `ids` that there are. */
  find(ids: readonly string[]): Promise<RouteGroup[]>;
  /** Ids of the groups that a certificate is meant to cover. */
  coveredBy(certificateId: string): Promise<readonly string[]>;
  /** In order of id, those after `after`, at most `limit`. Hosts that begin so, when `prefix` is given. */
  page(page: { after?: string; limit: number; prefix?: string }): Promise<RouteGroup[]>;
}

/** Changes with anything that a publisher delivers for the group. */
export const groupDigest = (group: RouteGroup): string =>
  sha256Hex(JSON.stringify([group.routes, group.certificateId ?? null, group.issuer ?? null])).slice(0, 16);

/** Asks each id of the source that has it. */
export async function findGroups(sources: readonly RouteSource[], ids: readonly string[]): Promise<RouteGroup[]> {
  const found = await Promise.all(
    sources.map((source) => {
      const own = ids.filter((id) => id.startsWith(source.idPrefix));
      return own.length === 0 ? [] : source.find(own);
    }),
  );
  return found.flat();
}

/** Every group of every source, in pages. */
export async function* allGroups(sources: readonly RouteSource[], pageSize = 500): AsyncGenerator<RouteGroup[]> {
  for (const source of sources)
    for (let after: string | undefined; ; ) {
      const page = await source.page({ limit: pageSize, ...(after !== undefined && { after }) });
      if (page.length > 0) yield page;
      if (page.length < pageSize) break;
      after = page.at(-1)!.id;
    }
}
