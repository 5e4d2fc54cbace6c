import { type AccountInPlace, findAccountInPlace } from '../store/acme-accounts.ts';
import type { AccountCall, Call, KeyCall } from './call.ts';
import { readJoseJson } from './http.ts';
import { type AccountKey, importAccountKey, type Jws, parseJws, verifyJws } from './jws.ts';
import type { Profile } from './profile.ts';
import { Refusal } from './refusal.ts';

// Importing a key costs as much as verifying with it. A row's own text is the key of the cache, so a changed account
// key is another entry.
const MOST_KEYS = 20_000;
const keys = new Map<string, AccountKey>();

function keyOf(jwkText: string): AccountKey {
  let key = keys.get(jwkText);
  if (key === undefined) {
    key = importAccountKey(JSON.parse(jwkText));
    if (keys.size >= MOST_KEYS) keys.delete(keys.keys().next().value!);
    keys.set(jwkText, key);
  }
  return key;
}

/** Reads the body, and checks everything of the header that needs no key; the nonce is used up. */
export async function openJws(call: Call, spelledUrl: string): Promise<Jws> {
  const jws = parseJws(await readJoseJson(call.request));
  // The nonce is used first: whatever follows, this message never counts again.
  if (!(await call.services.nonces.redeem(jws.header.nonce!)))
    throw new Refusal('badNonce', 'the nonce is not one of ours, or was used before; take the new one');
  if (jws.header.url !== spelledUrl)
    throw new Refusal('unauthorized', `the header's url is not that of this request, ${spelledUrl}`);
  return jws;
}

export function authenticateByKey(call: Call, jws: Jws): KeyCall {
  if (jws.header.key.kind !== 'jwk') throw new Refusal('malformed', 'this request is signed with a jwk, not a kid');
  const key = importAccountKey(jws.header.key.jwk);
  verifyJws(jws, key);
  return { ...call, jws, key };
}

export async function authenticateByAccount(call: Call, jws: Jws): Promise<AccountCall> {
  if (jws.header.key.kind !== 'kid') throw new Refusal('malformed', 'this request is signed with a kid, not a jwk');
  const { kid } = jws.header.key;
  const prefix = call.urls.account('');
  const id = kid.startsWith(prefix) ? kid.slice(prefix.length) : '';
  if (!/^[0-9a-z_]{1,64}$/.test(id))
    throw new Refusal('accountDoesNotExist', `kid must be an account URL of this profile: ${prefix}…`);
  const account = await findAccountInPlace(call.services.store.db, id);
  const profile = await currentProfile(call, account);
  if (account === undefined || account.profile_id !== profile.id)
    throw new Refusal('accountDoesNotExist', 'there is no such account at this profile');
  const key = keyOf(account.jwk);
  verifyJws(jws, key);
  // RFC 8555 §7.3.6: a deactivated account is told so only after the signature was found good.
  if (account.status !== 'valid') throw new Refusal('unauthorized', `this account is ${account.status}`);
  return { ...call, profile, jws, key, account };
}

/** The profile of the call as it is now: the account's row says whether the one that was seen last still is. */
async function currentProfile(
  { services, profile: { id } }: Call,
  account: AccountInPlace | undefined,
): Promise<Profile> {
  const { profiles } = services;
  const profile = await (account?.profile_id === id
    ? profiles.current(id, { version: account.profile_version, created_at: account.profile_created_at })
    : profiles.get(id));
  if (profile === undefined) throw noSuchProfile();
  return profile;
}

export const noSuchProfile = (): Refusal => new Refusal('malformed', 'there is no such profile', { status: 404 });
