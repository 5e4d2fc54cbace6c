/** What a choice among certificates looks at. */
export interface Candidate {
  readonly names: readonly string[];
  readonly notBefore: number;
  readonly notAfter: number;
  readonly staging?: boolean;
}

/**
 * The one to serve for a name: a staging one only where there is no other, one in its time before one that is not, an
 * exact name before a wildcard, then the one that lasts longest. An expired one is still an answer: the client can say what is wrong, and a missing one cannot.
 */
export function chooseCertificate<C extends Candidate>(
  candidates: readonly C[],
  serverName: string,
  now: number,
): C | undefined {
  const rank = (candidate: C) =>
    (candidate.staging === true ? 0 : 4) +
    (candidate.notBefore <= now && now < candidate.notAfter ? 2 : 0) +
    (candidate.names.includes(serverName) ? 1 : 0);
  let best: C | undefined;
  for (const candidate of candidates) {
    const difference = best === undefined ? 1 : rank(candidate) - rank(best);
    if (difference > 0 || (difference === 0 && candidate.notAfter > best!.notAfter)) best = candidate;
  }
  return best;
}
