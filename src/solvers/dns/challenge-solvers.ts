import { createHash } from 'node:crypto';
import type { ChallengeSolver, SolvableChallenge } from '../../acme-client/index.ts';
import { errorText, type Logger } from '../../base/index.ts';
import type { DnsCredentials } from './credentials.ts';
import type { PersistentRecords } from './persistent-records.ts';
import type { Dns01 } from './port.ts';
import { challengeRecordName } from './record-name.ts';

/**
 * Ways to show control of these names by DNS, for one order: with the credential that was chosen, or with those whose
 * zones cover the names. Empty where no credential is for any of them.
 */
export async function dnsSolvers(
  context: {
    readonly dns01: Dns01;
    readonly credentials: DnsCredentials;
    /** Without them dns-persist-01 is not answered. */
    readonly persistent?: PersistentRecords;
    readonly log: Logger;
  },
  wish: { readonly names: readonly string[]; readonly credentialId?: string },
): Promise<ChallengeSolver[]> {
  const { credentials } = context;
  const bare = wish.names.map((name) => name.replace(/^\*\./, ''));
  const known = await credentials.list();
  const covered = new Set<string>();
  for (const name of bare)
    if (wish.credentialId !== undefined || (await credentials.credentialFor(name)) !== undefined) covered.add(name);
  // A name may be delegated by CNAME into a zone that no name is in: whether it is shows when it is written.
  const delegable = known.some(({ provider }) => provider === 'acme-dns') && wish.credentialId === undefined;
  if (covered.size === 0 && !delegable) return [];
  const { persistent, log } = context;
  const removed = (['dns-01', 'dns-account-01'] as const).map((type) =>
    createDnsSolver(context, type, covered, wish.credentialId),
  );
  return persistent === undefined
    ? removed
    : [...removed, createPersistentSolver({ persistent, log }, covered, wish.credentialId)];
}

function createDnsSolver(
  { dns01, log }: { readonly dns01: Dns01; readonly log: Logger },
  type: 'dns-01' | 'dns-account-01',
  covered: ReadonlySet<string>,
  credentialId: string | undefined,
): ChallengeSolver {
  return {
    type,
    canSolve: isCovered(covered),
    async present({ identifier, keyAuthorization, accountUrl, signal, tell }: SolvableChallenge) {
      const recordName = challengeRecordName(type, identifier.value, accountUrl);
      const value = createHash('sha256').update(keyAuthorization).digest('base64url');
      const call = { signal, onStep: said(log, identifier.value, tell) };
      const presentation = await dns01.present(
        { owner: `name:${identifier.value}`, challenges: [{ recordName, value }], credentialId },
        call,
      );
      const cleanUp = () => dns01.cleanUp(presentation.id);
      try {
        await dns01.waitForPropagation(presentation, call);
      } catch (error) {
        await cleanUp().catch((failure: unknown) =>
          log.warn({ name: identifier.value, problem: errorText(failure) }, 'a TXT record is left for the sweep'),
        );
        throw error;
      }
      return cleanUp;
    },
  };
}

/** In the log, and in the history of the certificate. */
const said = (log: Logger, name: string, tell: SolvableChallenge['tell']) => (words: string) => {
  log.info({ name }, words);
  tell(words);
};

const isCovered =
  (covered: ReadonlySet<string>) =>
  ({ type, value }: SolvableChallenge['identifier']): boolean =>
    type === 'dns' && (covered.size === 0 || covered.has(value));

/** draft-ietf-acme-dns-persist: no token; the record says who may, and stays when the challenge is over. */
function createPersistentSolver(
  { persistent, log }: { readonly persistent: PersistentRecords; readonly log: Logger },
  covered: ReadonlySet<string>,
  credentialId: string | undefined,
): ChallengeSolver {
  return {
    type: 'dns-persist-01',
    canSolve: isCovered(covered),
    async present({ identifier, wildcard, accountUrl, challenge, signal, tell }: SolvableChallenge) {
      const offered: unknown = challenge['issuer-domain-names'];
      const issuers = Array.isArray(offered) ? offered.filter((name) => typeof name === 'string') : [];
      const wish = { domain: identifier.value, issuers, accountUrl, wildcard, credentialId };
      await persistent.hold(wish, { signal, onStep: said(log, identifier.value, tell) });
      return async () => {};
    },
  };
}
