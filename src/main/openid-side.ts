import { createOpenIdProvider, type OpenIdSide } from '../api/index.ts';
import type { Clock } from '../base/index.ts';
import { readConfigFile, type UpConfig } from './config.ts';

/** Signing in through an OpenID provider, where one is configured. */
export function openIdSide(config: UpConfig['openid'], clock: Clock): OpenIdSide | undefined {
  if (config === undefined) return undefined;
  const { title, public_url: publicUrl, client_secret_file: secretFile } = config;
  const provider = createOpenIdProvider(
    {
      issuer: config.issuer,
      clientId: config.client_id,
      ...(secretFile !== undefined && { clientSecret: readConfigFile(secretFile).trim() }),
      scopes: config.scopes,
      groupsClaim: config.groups_claim,
      groups: config.groups,
      title,
    },
    clock,
  );
  return { title, provider, ...(publicUrl !== undefined && { publicUrl: publicUrl.replace(/\/+$/, '') }) };
}
