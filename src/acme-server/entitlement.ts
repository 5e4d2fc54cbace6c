import type { Identifier, ProblemDocument } from '../acme/index.ts';
import type { AcmeAccountRow } from '../store/acme-accounts.ts';
import { type EabKeyRow, findEabKey } from '../store/acme-profiles.ts';
import type { Db } from '../store/index.ts';
import type { Call } from './call.ts';
import { type EabKeySettings, parseStoredEabSettings } from './eab-key.ts';
import { isCovered, overlaps, refuseName } from './name-policy.ts';
import type { Profile } from './profile.ts';
import { Refusal, subproblem } from './refusal.ts';

/** What an account may have here, and whether it must prove control of it. */
export interface Entitlement {
  readonly mode: 'challenge' | 'trust';
  readonly eabKey?: { readonly id: string; readonly settings: EabKeySettings };
}

/** Reads the profile's mode and the account's EAB key as they are now. Throws `unauthorized` when the key was revoked or trust has ended. */
export async function entitlementOf(
  db: Db,
  profile: Profile,
  account: AcmeAccountRow,
  now: number,
): Promise<Entitlement> {
  const row = account.eab_key_id === null ? undefined : await findEabKey(db, account.eab_key_id);
  const settings = row && parseStoredEabSettings(row.settings);
  const mode = settings?.auth_mode ?? profile.settings.auth_mode;
  const eabKey = row && settings && { id: row.id, settings };
  // Whoever revokes a key means its account, also where control is proven.
  if (row?.revoked_at != null)
    throw new Refusal('unauthorized', 'the external account key of this account was revoked');
  if (mode === 'challenge') return { mode, eabKey };
  if (row !== undefined) requireNotExpired(row, now);
  else if (!profile.settings.trust_without_eab)
    throw new Refusal('unauthorized', 'this profile trusts only accounts that are bound to an external account key');
  return { mode: 'trust', eabKey };
}

function requireNotExpired(row: EabKeyRow, now: number): void {
  if (row.expires_at !== null && row.expires_at <= now)
    throw new Refusal('unauthorized', 'the external account key of this account has expired');
}

/** Throws `rejectedIdentifier` for the identifiers that profile, EAB key or the CA's own constraints do not allow. */
export function requireAllowed(
  identifiers: readonly Identifier[],
  { profile, services: { ca } }: Pick<Call, 'profile' | 'services'>,
  entitlement: Entitlement,
): void {
  const refusedByCa = (value: string) => (profile.settings.issuer === undefined ? ca.refuseName?.(value) : undefined);
  const problems: ProblemDocument[] = [];
  for (const identifier of identifiers) {
    const why =
      refuseName(identifier, profile.settings.names) ??
      refusedByKey(identifier, entitlement) ??
      refusedByCa(identifier.value);
    if (why !== undefined) problems.push(subproblem('rejectedIdentifier', why, identifier));
  }
  if (problems.length > 0)
    throw new Refusal(
      'rejectedIdentifier',
      problems
        .map((p) => `${p.identifier?.value}: ${p.detail}`)
        .slice(0, 10)
        .join('; '),
      {
        subproblems: problems,
      },
    );
}

function refusedByKey(identifier: Identifier, { mode, eabKey }: Entitlement): string | undefined {
  if (eabKey === undefined) return undefined;
  const { allow, deny } = eabKey.settings.names;
  if (overlaps(identifier, deny)) return 'this name is denied to the external account key';
  // A key without a list means nothing may be had on trust, but says nothing where control is proven.
  const unlisted = allow.length === 0 ? mode === 'trust' : !isCovered(identifier, allow);
  return unlisted ? 'this name is not among those the external account key allows' : undefined;
}
