import { type AcmeProfileRow, findDefaultProfile, findProfile } from '../store/acme-profiles.ts';
import type { Db } from '../store/index.ts';
import { type Profile, parseProfileSettings } from './profile.ts';

/** Profiles as they are now: read at each request, parsed once a version. */
export interface ProfileSource {
  get(id: string): Promise<Profile | undefined>;
  /** The profile as this process saw it last, perhaps out of date; for who asks `current` before anything depends on it. */
  seen(id: string): Profile | undefined;
  /** The profile as it is in the store, which was found to be of this version; read only when another one was seen. */
  current(id: string, found: { version: number | null; created_at: number | null }): Promise<Profile | undefined>;
  getDefault(): Promise<Profile | undefined>;
  of(row: Pick<AcmeProfileRow, 'id' | 'version' | 'settings' | 'created_at'>): Profile;
}

export function createProfileSource(db: Db): ProfileSource {
  const kept = new Map<string, { text: string; createdAt: number; profile: Profile }>();
  const of: ProfileSource['of'] = (row) => {
    const entry = kept.get(row.id);
    if (entry?.profile.version === row.version && entry.createdAt === row.created_at && entry.text === row.settings)
      return entry.profile;
    const profile = { id: row.id, version: row.version, settings: parseProfileSettings(JSON.parse(row.settings)) };
    kept.set(row.id, { text: row.settings, createdAt: row.created_at, profile });
    return profile;
  };
  const get: ProfileSource['get'] = async (id) => {
    const row = await findProfile(db, id);
    if (row === undefined) kept.delete(id);
    return row && of(row);
  };
  return {
    of,
    get,
    seen: (id) => kept.get(id)?.profile,
    async current(id, { version, created_at }) {
      const entry = kept.get(id);
      const isCurrent = entry !== undefined && entry.profile.version === version && entry.createdAt === created_at;
      return isCurrent ? entry.profile : get(id);
    },
    async getDefault() {
      const row = await findDefaultProfile(db);
      return row && of(row);
    },
  };
}
