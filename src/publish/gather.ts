import { type Fault, faultOf } from '../base/index.ts';
import type { Delivery, PublishTarget } from './publish-target.ts';
import { findGroups, groupDigest, type RouteSource } from './route-group.ts';
import type { ServedCertificates } from './served-certificates.ts';

export interface Gathered {
  readonly delivery: Delivery;
  /** Item -> digest or version, of those that are wanted at all. */
  readonly wanted: ReadonlyMap<string, string>;
  readonly failed: Map<string, Fault>;
}

/** What is wanted of the items, less what is there already. */
export async function gather(
  from: { sources: readonly RouteSource[]; certificates: ServedCertificates; target: PublishTarget },
  items: readonly string[],
): Promise<Gathered> {
  const { sources, certificates, target } = from;
  const groups = await findGroups(sources, items);
  const served = target.groupsOnly === true ? [] : await certificates.find(items);
  const wanted = new Map<string, string>();
  for (const group of groups) wanted.set(group.id, groupDigest(group));
  for (const { id, version } of served) wanted.set(id, version);
  const failed = new Map<string, Fault>();
  const fresh: Delivery['certificates'][number][] = [];
  for (const version of served.filter(({ id, version }) => target.holds(id) !== version))
    try {
      fresh.push(await certificates.withKey(version));
    } catch (error) {
      failed.set(version.id, faultOf(error));
    }
  const delivery: Delivery = {
    groups: groups.filter(({ id }) => target.holds(id) !== wanted.get(id)),
    certificates: fresh,
    gone: items.filter((item) => !wanted.has(item) && target.holds(item) !== undefined),
  };
  return { delivery, wanted, failed };
}
