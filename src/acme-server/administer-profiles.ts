import { listAccounts } from '../store/acme-accounts.ts';
import {
  type AcmeProfileRow,
  deleteProfile,
  findProfile,
  insertProfile,
  listProfiles,
  updateProfile,
} from '../store/acme-profiles.ts';
import { appendAudit } from '../store/audit.ts';
import type { Db } from '../store/index.ts';
import type { AcmeAdministration, AdministrationDeps } from './administration.ts';
import { fail, wrongField } from './administration-faults.ts';
import { isOwnDirectory } from './own-directory.ts';
import { type ProfileSettings, parseProfileSettings } from './profile.ts';

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

type Profiles = Pick<
  AcmeAdministration,
  'listProfiles' | 'getProfile' | 'createProfile' | 'updateProfile' | 'deleteProfile'
>;

/** The row of a profile; a `not_found` Fault when there is none. */
export const requireProfile = async (db: Db, id: string): Promise<AcmeProfileRow> =>
  (await findProfile(db, id)) ?? fail('not_found', 404, `there is no profile ${id}`);

export function administerProfiles(deps: AdministrationDeps): Profiles {
  const { store, clock } = deps;
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

  return {
    async listProfiles(page) {
      return (await listProfiles(store.db, page)).map(profileView);
    },
    async getProfile(id) {
      return profileView(await requireProfile(store.db, id));
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
      const row = await requireProfile(store.db, id);
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
      await requireProfile(store.db, id);
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
