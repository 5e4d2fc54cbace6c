/** What the choice of a credential needs to know of each. */
export interface CredentialCandidate {
  readonly id: string;
  /** Zones that it is bound to; empty for all that it sees. */
  readonly zones: readonly string[];
  /** Zones that its last proof saw. */
  readonly seenZones: readonly string[];
  readonly validation: 'unproven' | 'valid' | 'failed';
}

export const covers = (zone: string, name: string): boolean => name === zone || name.endsWith(`.${zone}`);

/** The zone of this credential that matches a name longest; undefined where none does. */
export function zoneOfCredential(candidate: CredentialCandidate, name: string): string | undefined {
  const zones = candidate.zones.length > 0 ? candidate.zones : candidate.seenZones;
  return zones.filter((zone) => covers(zone, name)).sort((a, b) => b.length - a.length)[0];
}

const STANDING: Record<CredentialCandidate['validation'], number> = { valid: 0, unproven: 1, failed: 2 };

/** The credential whose zone matches longest; among equals one that is proved, then the oldest. */
export function chooseCredential<C extends CredentialCandidate>(candidates: readonly C[], name: string): C | undefined {
  const matches = candidates.flatMap((candidate) => {
    const zone = zoneOfCredential(candidate, name);
    return zone === undefined ? [] : [{ candidate, zone }];
  });
  matches.sort(
    (a, b) =>
      b.zone.length - a.zone.length ||
      STANDING[a.candidate.validation] - STANDING[b.candidate.validation] ||
      (a.candidate.id < b.candidate.id ? -1 : 1),
  );
  return matches[0]?.candidate;
}
