import type { Profile, ProfileSettings } from './profile.ts';
import { Refusal } from './refusal.ts';

/** The names that orders may give as `profile`, with what each is, in words; the first is that of orders that name none. */
export function certificateProfiles({ id, settings }: Profile): Record<string, string> {
  const further = Object.entries(settings.certificate_profiles).map(
    ([name, { description }]) => [name, description ?? `the certificate profile ${name}`] as const,
  );
  return { [id]: settings.description ?? `the profile ${id}`, ...Object.fromEntries(further) };
}

/** The settings for certificates of one name. Throws `invalidProfile` (draft-ietf-acme-profiles §3). */
export function settingsOf(profile: Profile, name: string): ProfileSettings {
  const { id, settings } = profile;
  if (name === id) return settings;
  if (!Object.hasOwn(settings.certificate_profiles, name)) {
    const known = Object.keys(certificateProfiles(profile)).join(', ');
    throw new Refusal('invalidProfile', `there is no profile ${JSON.stringify(name.slice(0, 64))} here, only ${known}`);
  }
  const { description: _, ...instead } = settings.certificate_profiles[name]!;
  const longest = instead.max_ttl_seconds ?? settings.max_ttl_seconds;
  const usual = instead.default_ttl_seconds ?? Math.min(settings.default_ttl_seconds ?? longest, longest);
  return { ...settings, ...instead, default_ttl_seconds: usual };
}
