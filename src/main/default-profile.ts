import type { AcmeServer } from '../acme-server/index.ts';
import type { UpConfig } from './config.ts';

/** What the configuration says of the default profile, as settings of a profile. */
export function defaultProfileSettings(config: UpConfig['acme_server']): Record<string, unknown> {
  const perHour = (count: number | undefined) => count && { count, per_seconds: 3600 };
  const validation = given({ caa_identities: config.caa_identities, resolvers: config.dns01_resolver });
  const limits = given({
    orders: perHour(config.rate_limit_orders_per_hour),
    open_orders: config.rate_limit_concurrent_orders,
    key_changes: perHour(config.rate_limit_key_change_per_hour),
    challenge_responses: perHour(config.rate_limit_challenge_responds_per_hour),
  });
  return given({
    auth_mode: config.default_auth_mode,
    eab_required: config.eab_required,
    terms_of_service: config.tos_url,
    website: config.website,
    order_ttl_seconds: config.order_ttl,
    authorization_ttl_seconds: config.authz_ttl,
    validation: Object.keys(validation).length > 0 ? validation : undefined,
    limits: Object.keys(limits).length > 0 ? limits : undefined,
  });
}

const given = (settings: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));

/** Sets the default profile to what the configuration says; one that it names and that is not there is made. */
export async function keepDefaultProfile(
  { administration }: AcmeServer,
  config: UpConfig['acme_server'],
): Promise<void> {
  const settings = defaultProfileSettings(config);
  const all = await administration.listProfiles({ limit: 1000 });
  const id = config.default_profile_id ?? all.find((profile) => profile.default)?.id;
  if (id === undefined || (Object.keys(settings).length === 0 && config.default_profile_id === undefined)) return;
  if (all.some((profile) => profile.id === id))
    await administration.updateProfile(id, { ...settings, default: true }, 'system');
  else await administration.createProfile({ ...settings, id, default: true }, 'system');
}
