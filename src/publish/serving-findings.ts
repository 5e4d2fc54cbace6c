import type { Clock } from '../base/index.ts';
import { deliveriesOf } from '../store/deliveries.ts';
import type { Db } from '../store/index.ts';
import { deriveFindings, type Finding } from './findings.ts';
import type { ServingWatch } from './probe.ts';
import { findGroups, type RouteGroup, type RouteSource } from './route-group.ts';
import type { ServedCertificates } from './served-certificates.ts';

/** A finding, and where it was made. */
export interface ServingFinding extends Finding {
  readonly publisher: string;
  readonly name: string;
  readonly certificateId: string;
}

export interface ServingFindings {
  /** Of the names that a certificate is for, oldest first. */
  of(certificateId: string): Promise<ServingFinding[]>;
  /** Those that several looks have confirmed: `shown` of them, oldest first, and how many names they are about at each publisher. */
  standing(shown: number): Promise<{ findings: ServingFinding[]; names: ReadonlyMap<string, number> }>;
}

/** Names of one certificate that are compared for one answer. */
const MOST_NAMES = 200;

export function createServingFindings(deps: {
  readonly db: Db;
  readonly sources: readonly RouteSource[];
  readonly certificates: Pick<ServedCertificates, 'find'>;
  /** Who looks: what was seen where nobody looks any more says nothing. */
  readonly watches: readonly ServingWatch[];
  readonly clock: Clock;
}): ServingFindings {
  const { db, sources, watches, clock } = deps;

  const findingsOf = async (ids: readonly string[]): Promise<ServingFinding[]> => {
    const groups = (await findGroups(sources, ids)).filter(({ certificateId }) => certificateId !== undefined);
    const certificateIds = [...new Set(groups.map((group) => group.certificateId!))];
    if (certificateIds.length === 0) return [];
    const issued = new Map((await deps.certificates.find(certificateIds)).map((version) => [version.id, version]));
    const rows = new Map(
      (await deliveriesOf(db, [...groups.map(({ id }) => id), ...certificateIds])).map((row) => [
        `${row.publisher} ${row.item}`,
        row,
      ]),
    );
    const at = (publisher: string, { id, host, certificateId }: RouteGroup): ServingFinding[] => {
      const version = issued.get(certificateId!);
      const look = rows.get(`${publisher} ${id}`);
      if (version === undefined || look === undefined) return [];
      const found = deriveFindings(version, rows.get(`${publisher} ${version.id}`), look, clock.now());
      return found.map((finding) => ({ ...finding, publisher, name: host, certificateId: version.id }));
    };
    return groups
      .flatMap((group) => watches.flatMap(({ publisher }) => at(publisher, group)))
      .toSorted((a, b) => a.since - b.since);
  };

  return {
    async of(certificateId) {
      const covered = await Promise.all(sources.map((source) => source.coveredBy(certificateId)));
      return findingsOf(covered.flat().slice(0, MOST_NAMES));
    },
    async standing(shown) {
      const wrong = watches.map((watch) => [watch.publisher, watch.wrong()] as const);
      const ids = [...new Set(wrong.flatMap(([, items]) => items))].slice(0, shown);
      return {
        findings: ids.length === 0 ? [] : (await findingsOf(ids)).slice(0, shown),
        names: new Map(wrong.map(([publisher, items]) => [publisher, items.length])),
      };
    },
  };
}
