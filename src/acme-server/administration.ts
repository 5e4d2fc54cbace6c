import { randomBytes } from 'node:crypto';
import { Fault, newId } from '../base/index.ts';
import { type AcmeAccountRow, findAccount, listAccounts, updateAccount } from '../store/acme-accounts.ts';
import {
  type AcmeProfileRow,
  deleteProfile,
  type EabKeyRow,
  findEabKey,
  findProfile,
  insertEabKey,
  insertProfile,
  listEabKeys,
  listProfiles,
  revokeEabKey,
  updateProfile,
} from '../store/acme-profiles.ts';
import { appendAudit } from '../store/audit.ts';
import { type EabKeySettings, parseEabSettings, parseStoredEabSettings } from './eab-key.ts';
import { eabSecretPath } from './external-account.ts';
import { type OrderView, viewOrders } from './order-view.ts';
import { isOwnDirectory } from './own-directory.ts';
import { type ProfileSettings, parseProfileSettings } from './profile.ts';
import type { AcmeServerDeps } from './services.ts';

/** A profile as the API shows it: its settings with id, default flag and directory path. */
export interface ProfileView extends ProfileSettings {
  readonly id: string;
  readonly default: boolean;
  /** Below the server's origin. */
  readonly directory: string;
  /** Milliseconds since the epoch. */
  readonly created_at: number;
  readonly updated_at: number;
}

export interface EabKeyView {
  /** The `kid` of a binding. */
  readonly id: string;
  readonly profile: string;
  readonly status: 'unused' | 'bound' | 'expired' | 'revoked';
  readonly settings: EabKeySettings;
  readonly account?: string;
  /** Issued under it so far. */
  readonly certificates: number;
  readonly created_at: number;
  readonly expires_at?: number;
}

export interface AccountView {
  readonly id: string;
  readonly profile: string;
  readonly status: AcmeAccountRow['status'];
  readonly contact: readonly string[];
  /** RFC 7638 thumbprint of its key. */
  readonly thumbprint: string;
  readonly eab_key?: string;
  readonly created_at: number;
}

export interface Page {
  /** The last id of the page before. */
  readonly after?: string;
  readonly limit: number;
}

/**
 * What people and programs may do with the ACME server's own things. `actor` is whom the audit log names. Faults:
 * `invalid_profile`, `invalid_eab_key` (422, with fields), `not_found` (404), `conflict` (409).
 */
export interface AcmeAdministration {
  listProfiles(page: Page): Promise<ProfileView[]>;
  getProfile(id: string): Promise<ProfileView>;
  /** `input` is the JSON of the API: `id`, `default` and the settings. */
  createProfile(input: unknown, actor: string): Promise<ProfileView>;
  /** Members of `input` replace those of the profile; objects are merged one level deep. */
  updateProfile(id: string, input: unknown, actor: string): Promise<ProfileView>;
  deleteProfile(id: string, actor: string): Promise<void>;
  listEabKeys(profileId: string, page: Page): Promise<EabKeyView[]>;
  /** `hmac_key` is base64url, shown this once. */
  createEabKey(profileId: string, input: unknown, actor: string): Promise<EabKeyView & { readonly hmac_key: string }>;
  revokeEabKey(profileId: string, id: string, actor: string): Promise<EabKeyView>;
  listAccounts(filter: { readonly profileId?: string }, page: Page): Promise<AccountView[]>;
  getAccount(id: string): Promise<AccountView>;
  deactivateAccount(id: string, actor: string): Promise<AccountView>;
  /** Orders of an account, newest first. */
  listOrders(accountId: string, page: { before?: string; limit: number }): Promise<OrderView[]>;
}

export type AdministrationDeps = Pick<
  AcmeServerDeps,
  'store' | 'secrets' | 'clock' | 'upstream' | 'perspectives' | 'origins'
>;

export function createAdministration(deps: AdministrationDeps): AcmeAdministration {
  const { store, secrets, clock } = deps;
  const parseSettings = async (input: unknown, before?: ProfileSettings): Promise<string> => {
    const settings = parseProfileSettings(input);
    const { issuer, validation } = settings;
    const perspectives = deps.perspectives?.length ?? 0;
    if (validation.perspectives_quorum > perspectives)
      throw wrongField('validation.perspectives_quorum', `is more than the ${perspectives} perspectives there are`);
    // One that stays is not asked about: at the start of Gatehouse, issuers are not there yet.
    if (issuer !== undefined && issuer !== before?.issuer) {
      const directory = await deps.upstream?.()?.directoryOf(issuer);
      if (directory === undefined) throw wrongField('issuer', `is no issuer that is known here: ${issuer}`);
      if (isOwnDirectory(directory, deps.origins()))
        throw wrongField('issuer', `is this server itself (${issuer}): leave it out, and our own CA issues`);
    }
    return JSON.stringify(settings);
  };
  const requireProfile = async (id: string): Promise<AcmeProfileRow> =>
    (await findProfile(store.db, id)) ?? fail('not_found', 404, `there is no profile ${id}`);

  return {
    async listProfiles(page) {
      return (await listProfiles(store.db, page)).map(profileView);
    },
    async getProfile(id) {
      return profileView(await requireProfile(id));
    },
    async createProfile(input, actor) {
      const { id, isDefault, settings } = splitProfile(input);
      if (typeof id !== 'string' || !/^[a-z0-9][a-z0-9-]{0,62}$/.test(id))
        throw wrongField('id', 'must be 1 to 63 lower-case letters, digits and hyphens');
      const now = clock.now();
      const row: AcmeProfileRow = {
        id,
        settings: await parseSettings(settings),
        is_default: isDefault ? 1 : 0,
        version: 1,
        created_at: now,
        updated_at: now,
      };
      await store.write(async (tx) => {
        if (!(await insertProfile(tx, row))) fail('conflict', 409, `there is a profile ${id} already`);
        await appendAudit(tx, {
          actor,
          action: 'acme_profile.create',
          resource: `acme_profile:${id}`,
          facts: { settings: JSON.parse(row.settings) as unknown },
          at: now,
        });
      });
      return profileView(row);
    },
    async updateProfile(id, input, actor) {
      const row = await requireProfile(id);
      const { id: given, isDefault = row.is_default === 1, settings } = splitProfile(input);
      if (given !== undefined && given !== id) throw wrongField('id', 'cannot be changed: accounts belong to it');
      const now = clock.now();
      const before = JSON.parse(row.settings) as ProfileSettings;
      const changed = {
        ...row,
        settings: await parseSettings(merge({ ...before }, settings), before),
        is_default: isDefault ? 1 : 0,
        updated_at: now,
      };
      await store.write(async (tx) => {
        await updateProfile(tx, changed);
        await appendAudit(tx, {
          actor,
          action: 'acme_profile.update',
          resource: `acme_profile:${id}`,
          facts: { changed: settings },
          at: now,
        });
      });
      return profileView(changed);
    },
    async deleteProfile(id, actor) {
      await requireProfile(id);
      const used = await listAccounts(store.db, { profileId: id }, { limit: 1 });
      if (used.length > 0)
        fail('conflict', 409, `accounts belong to the profile ${id}; deny every name instead: names.deny ["*"]`);
      await store.write(async (tx) => {
        await deleteProfile(tx, id);
        await appendAudit(tx, {
          actor,
          action: 'acme_profile.delete',
          resource: `acme_profile:${id}`,
          at: clock.now(),
        });
      });
    },
    async listEabKeys(profileId, page) {
      await requireProfile(profileId);
      return (await listEabKeys(store.db, profileId, page)).map((row) => eabKeyView(row, clock.now()));
    },
    async createEabKey(profileId, input, actor) {
      await requireProfile(profileId);
      const { expires_at: expires, ...rest } = (input ?? {}) as Record<string, unknown>;
      const settings = parseEabSettings(rest);
      const now = clock.now();
      if (expires !== undefined && (typeof expires !== 'number' || !Number.isSafeInteger(expires) || expires <= now))
        throw wrongField('expires_at', 'must be a later time, in milliseconds since 1970');
      const secret = randomBytes(32);
      const row: EabKeyRow = {
        id: newId('eab', now),
        profile_id: profileId,
        settings: JSON.stringify(settings),
        account_id: null,
        created_at: now,
        expires_at: expires ?? null,
        revoked_at: null,
        certificates: 0,
      };
      await secrets.put(eabSecretPath(row.id), secret);
      await store.write(async (tx) => {
        await insertEabKey(tx, row);
        await appendAudit(tx, {
          actor,
          action: 'acme_eab_key.create',
          resource: `acme_eab_key:${row.id}`,
          facts: { profile: profileId, settings },
          at: now,
        });
      });
      return { ...eabKeyView(row, now), hmac_key: secret.toString('base64url') };
    },
    async revokeEabKey(profileId, id, actor) {
      const row = await findEabKey(store.db, id);
      if (row === undefined || row.profile_id !== profileId)
        return fail('not_found', 404, `the profile ${profileId} has no EAB key ${id}`);
      const now = clock.now();
      await store.write(async (tx) => {
        if (!(await revokeEabKey(tx, id, now))) return;
        await appendAudit(tx, {
          actor,
          action: 'acme_eab_key.revoke',
          resource: `acme_eab_key:${id}`,
          facts: { profile: profileId },
          at: now,
        });
      });
      await secrets.delete(eabSecretPath(id));
      return eabKeyView({ ...row, revoked_at: row.revoked_at ?? now }, now);
    },
    async listAccounts(filter, page) {
      return (await listAccounts(store.db, filter, page)).map(accountView);
    },
    listOrders: (accountId, page) => viewOrders(store.db, accountId, page, clock.now()),
    async getAccount(id) {
      return accountView((await findAccount(store.db, id)) ?? fail('not_found', 404, `there is no account ${id}`));
    },
    async deactivateAccount(id, actor) {
      const row = (await findAccount(store.db, id)) ?? fail('not_found', 404, `there is no account ${id}`);
      await store.write(async (tx) => {
        // By its operator an account is revoked; deactivated is what its owner does (RFC 8555 §7.1.6).
        if (!(await updateAccount(tx, id, { status: 'revoked' }))) return;
        await appendAudit(tx, {
          actor,
          action: 'acme_account.revoke',
          resource: `acme_account:${id}`,
          facts: { profile: row.profile_id },
          at: clock.now(),
        });
      });
      return accountView((await findAccount(store.db, id))!);
    },
  };
}

function splitProfile(input: unknown): { id?: unknown; isDefault?: boolean; settings: Record<string, unknown> } {
  if (typeof input !== 'object' || input === null || Array.isArray(input))
    throw wrongField('', 'the profile is not an object');
  const { id, default: isDefault, ...settings } = input as Record<string, unknown>;
  if (isDefault !== undefined && typeof isDefault !== 'boolean') throw wrongField('default', 'must be true or false');
  return { id, isDefault, settings };
}

function merge(old: Record<string, unknown>, changes: Record<string, unknown>): Record<string, unknown> {
  const isObject = (value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value);
  const merged = { ...old };
  for (const [name, value] of Object.entries(changes))
    merged[name] = isObject(value) && isObject(old[name]) ? { ...(old[name] as object), ...(value as object) } : value;
  return merged;
}

function profileView({ id, settings, is_default, created_at, updated_at }: AcmeProfileRow): ProfileView {
  const parsed = JSON.parse(settings) as ProfileSettings;
  return {
    id,
    default: is_default === 1,
    directory: `/acme/profile/${id}/directory`,
    ...parsed,
    created_at,
    updated_at,
  };
}

function eabKeyView(row: EabKeyRow, now: number): EabKeyView {
  const expired = row.expires_at !== null && row.expires_at <= now;
  return {
    id: row.id,
    profile: row.profile_id,
    status: row.revoked_at !== null ? 'revoked' : expired ? 'expired' : row.account_id !== null ? 'bound' : 'unused',
    settings: parseStoredEabSettings(row.settings),
    ...(row.account_id !== null && { account: row.account_id }),
    certificates: row.certificates,
    created_at: row.created_at,
    ...(row.expires_at !== null && { expires_at: row.expires_at }),
  };
}

const accountView = (row: AcmeAccountRow): AccountView => ({
  id: row.id,
  profile: row.profile_id,
  status: row.status,
  contact: JSON.parse(row.contact) as string[],
  thumbprint: row.thumbprint,
  ...(row.eab_key_id !== null && { eab_key: row.eab_key_id }),
  created_at: row.created_at,
});

function fail(code: string, status: number, detail: string): never {
  throw new Fault({ code, detail, party: 'client', retry: 'never', status });
}

const wrongField = (field: string, why: string): Fault =>
  new Fault({
    code: 'invalid_profile',
    detail: `${field} ${why}`,
    party: 'client',
    retry: 'never',
    status: 422,
    field,
  });
