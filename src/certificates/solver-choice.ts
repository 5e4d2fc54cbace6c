import type { ChallengeSolver } from '../acme-client/index.ts';
import type { CertificateRow } from '../store/certificates.ts';
import { isWildcard } from '../x509/index.ts';
import type { SolverSource } from './ports.ts';

/**
 * Ways to show control, best first: the one that worked last time; then DNS where the wish names a credential; then
 * tls-alpn-01 and http-01 at the edge; then DNS by whatever credential covers the names. A wish for one type gets that.
 */
export async function solversFor(
  source: SolverSource,
  row: Pick<CertificateRow, 'challenge' | 'dns_credential_id'>,
  names: readonly string[],
  workedBefore?: string,
): Promise<readonly ChallengeSolver[]> {
  const { challenge, dns_credential_id: credentialId } = row;
  const wantsDns =
    credentialId !== null || challenge.startsWith('dns-') || challenge === 'auto' || names.some(isWildcard);
  const dns = (wantsDns && (await source.dns?.({ names, ...(credentialId !== null && { credentialId }) }))) || [];
  const all = credentialId !== null ? [...dns, ...source.edge] : [...source.edge, ...dns];
  if (challenge !== 'auto') return all.filter(({ type }) => type === challenge);
  // A record that stays is a standing right: unasked, only where DNS proves nothing otherwise.
  const chosen = all.map((solver) =>
    solver.type === 'dns-persist-01' ? { ...solver, unlessOffered: ['dns-01', 'dns-account-01'] as const } : solver,
  );
  return chosen.toSorted((a, b) => Number(b.type === workedBefore) - Number(a.type === workedBefore));
}

/** The same, but for a name only of the types that its owner allows. */
export const limitedBy = (
  methods: ReadonlyMap<string, readonly string[]>,
  solvers: readonly ChallengeSolver[],
): readonly ChallengeSolver[] =>
  methods.size === 0
    ? solvers
    : solvers.map((solver) => ({
        ...solver,
        canSolve: (identifier, wildcard) =>
          methods.get(`${wildcard ? '*.' : ''}${identifier.value}`)?.includes(solver.type) !== false &&
          solver.canSolve(identifier, wildcard),
      }));
