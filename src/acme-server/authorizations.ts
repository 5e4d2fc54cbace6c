import type { AuthorizationObject, ChallengeObject, Identifier } from '../acme/index.ts';
import { identifierKey } from '../acme/index.ts';
import { fewRandomBytes, newId } from '../base/index.ts';
import type { AcmeAuthorizationRow } from '../store/acme-authorizations.ts';
import { challengesFor } from './identifiers.ts';
import type { Profile, ProfileSettings } from './profile.ts';
import { authorizationStatus, type StoredChallenge } from './status.ts';
import type { ProfileUrls } from './urls.ts';

/** A new pending authorization; `*.` of the identifier becomes the wildcard flag (RFC 8555 §7.1.4). */
export function planAuthorization(
  identifier: Identifier,
  settings: ProfileSettings,
  owner: { profileId: string; accountId: string },
  now: number,
): AcmeAuthorizationRow {
  const wildcard = identifier.value.startsWith('*.');
  // 256 random bits (RFC 8555 §11.3 asks for 128), the same for every challenge of the authorization.
  const token = fewRandomBytes(32).toString('base64url');
  const challenges = challengesFor(identifier, settings).map(
    (type): StoredChallenge => ({ type, status: 'pending', ...(type !== 'dns-persist-01' && { token }) }),
  );
  return {
    id: newId('authz', now),
    profile_id: owner.profileId,
    account_id: owner.accountId,
    identifier: identifierKey(bareIdentifier(identifier)),
    wildcard: wildcard ? 1 : 0,
    state: 'pending',
    challenges: JSON.stringify(challenges),
    created_at: now,
    expires_at: now + settings.order_ttl_seconds * 1000,
    processing_since: null,
  };
}

export const bareIdentifier = ({ type, value }: Identifier): Identifier => ({
  type,
  value: value.startsWith('*.') ? value.slice(2) : value,
});

export function identifierOfRow({ identifier }: Pick<AcmeAuthorizationRow, 'identifier'>): Identifier {
  const colon = identifier.indexOf(':');
  return { type: identifier.slice(0, colon) as Identifier['type'], value: identifier.slice(colon + 1) };
}

export const challengesOf = (row: AcmeAuthorizationRow): StoredChallenge[] =>
  JSON.parse(row.challenges) as StoredChallenge[];

const rfc3339 = (ms: number): string => new Date(ms).toISOString().replace('.000Z', 'Z');

export function challengeObject(
  row: AcmeAuthorizationRow,
  stored: StoredChallenge,
  { profile, urls }: { profile: Profile; urls: ProfileUrls },
): ChallengeObject {
  return {
    type: stored.type,
    url: urls.challenge(row.id, stored.type),
    status: stored.status,
    ...(stored.token !== undefined && { token: stored.token }),
    ...(stored.validated !== undefined && { validated: rfc3339(stored.validated) }),
    ...(stored.error !== undefined && { error: stored.error }),
    ...(stored.type === 'dns-persist-01' && {
      'issuer-domain-names': profile.settings.validation.caa_identities,
      accounturi: urls.account(row.account_id),
    }),
  };
}

/** RFC 8555 §7.1.4; once valid or invalid, only the challenges that decided it are shown (§7.1.6). */
export function authorizationObject(
  row: AcmeAuthorizationRow,
  place: { profile: Profile; urls: ProfileUrls; now: number },
): AuthorizationObject {
  const status = authorizationStatus(row, place.now);
  const stored = challengesOf(row);
  const shown = status === 'pending' ? stored : stored.filter((challenge) => challenge.status === row.state);
  return {
    identifier: identifierOfRow(row),
    status,
    expires: rfc3339(row.expires_at),
    challenges: (shown.length > 0 ? shown : stored).map((challenge) => challengeObject(row, challenge, place)),
    ...(row.wildcard === 1 && { wildcard: true }),
  };
}
