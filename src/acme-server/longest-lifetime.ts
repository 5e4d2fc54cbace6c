import { listProfiles } from '../store/acme-profiles.ts';
import type { Db } from '../store/index.ts';
import { createProfileSource } from './profile-source.ts';

const PAGE = 100;

/** The longest certificate of our own CA that any profile allows now, milliseconds; 0 when there is none. */
export async function longestLifetime(db: Db): Promise<number> {
  const source = createProfileSource(db);
  let longest = 0;
  for (let after: string | undefined; ; ) {
    const rows = await listProfiles(db, { limit: PAGE, ...(after !== undefined && { after }) });
    for (const { settings } of rows.map(source.of)) {
      if (settings.issuer !== undefined) continue;
      const kinds = Object.values(settings.certificate_profiles);
      for (const seconds of [settings.max_ttl_seconds, ...kinds.map((kind) => kind.max_ttl_seconds ?? 0)])
        longest = Math.max(longest, seconds * 1000);
    }
    if (rows.length < PAGE) return longest;
    after = rows.at(-1)!.id;
  }
}
