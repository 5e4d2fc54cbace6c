import type { Identifier, ProblemDocument } from '../acme/index.ts';
import type { AccountInPlace } from '../store/acme-accounts.ts';
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

/** By the profile's mode and the account's EAB key as the request found them. Throws `unauthorized` when the key was revoked or trust has ended. */
export function entitlementOf({ settings: policy }: Profile, account: AccountInPlace, now: number): Entitlement {
  const { eab_key_id: id, eab_settings } = account;
  const settings = eab_settings === null ? undefined : parseStoredEabSettings(eab_settings);
  const mode = settings?.auth_mode ?? policy.auth_mode;
  const eabKey = id === null || settings === undefined ? undefined : { id, settings };
  // Whoever revokes a key means its account, also where control is proven.
  if (account.eab_revoked_at !== null)
    throw new Refusal('unauthorized', 'the external account key of this account was revoked');
  if (mode === 'challenge') return { mode, eabKey };
  if (eabKey !== undefined) requireNotExpired(account, now);
  else if (!policy.trust_without_eab)
    throw new Refusal('unauthorized', 'this profile trusts only accounts that are bound to an external account key');
  return { mode: 'trust', eabKey };
}

function requireNotExpired({ eab_expires_at }: AccountInPlace, now: number): void {
  if (eab_expires_at !== null && eab_expires_at <= now)
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
