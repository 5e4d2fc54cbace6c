import { type AccountView, administerAccounts } from './administer-accounts.ts';
import { administerEabKeys, type EabKeyView } from './administer-eab-keys.ts';
import { administerProfiles, type ProfileView } from './administer-profiles.ts';
import type { OrderView } from './order-view.ts';
import type { AcmeServerDeps } from './services.ts';

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

export const createAdministration = (deps: AdministrationDeps): AcmeAdministration => ({
  ...administerProfiles(deps),
  ...administerEabKeys(deps),
  ...administerAccounts(deps),
});
