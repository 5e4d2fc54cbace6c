import { type AcmeProfileRow, findDefaultProfile, findProfile } from '../store/acme-profiles.ts';
import type { Db } from '../store/index.ts';
import { type Profile, parseProfileSettings } from './profile.ts';

/** Profiles as they are now: read at each request, parsed once a version. */
export interface ProfileSource {
  get(id: string): Promise<Profile | undefined>;
  getDefault(): Promise<Profile | undefined>;
  of(row: Pick<AcmeProfileRow, 'id' | 'version' | 'settings'>): Profile;
}

export function createProfileSource(db: Db): ProfileSource {
  const kept = new Map<string, { text: string; profile: Profile }>();
  const of: ProfileSource['of'] = (row) => {
    const entry = kept.get(row.id);
    if (entry !== undefined && entry.profile.version === row.version && entry.text === row.settings)
      return entry.profile;
    const profile = { id: row.id, version: row.version, settings: parseProfileSettings(JSON.parse(row.settings)) };
    kept.set(row.id, { text: row.settings, profile });
    return profile;
  };
  return {
    of,
    async get(id) {
      const row = await findProfile(db, id);
      if (row === undefined) kept.delete(id);
      return row && of(row);
    },
    async getDefault() {
      const row = await findDefaultProfile(db);
      return row && of(row);
    },
  };
}
