import type { AcmeAccount, AcmeOrder, AcmeProfile, CreatedEabKey, CreateEabKey, EabKey } from '../contract/index.ts';
import { type Actor, requirePermission } from './actor.ts';
import { absent, type ControlDeps, guarded } from './context.ts';
import { time, timeOrNull } from './documents.ts';
import { decodeCursor, limitOf, type Page, type PageInput, pageOf } from './page.ts';
import type { AccountView, EabKeyView, OrderView, ProfileView } from './ports/index.ts';

export interface AcmeServerUseCases {
  listProfiles(actor: Actor, page: PageInput): Promise<Page<AcmeProfile>>;
  getProfile(actor: Actor, id: string): Promise<AcmeProfile>;
  createProfile(actor: Actor, input: unknown): Promise<AcmeProfile>;
  changeProfile(actor: Actor, id: string, input: unknown): Promise<AcmeProfile>;
  removeProfile(actor: Actor, id: string): Promise<void>;
  listEabKeys(actor: Actor, profile: string, page: PageInput): Promise<Page<EabKey>>;
  createEabKey(actor: Actor, profile: string, input: CreateEabKey): Promise<CreatedEabKey>;
  revokeEabKey(actor: Actor, profile: string, id: string): Promise<EabKey>;
  listAccounts(actor: Actor, input: PageInput & { profile?: string }): Promise<Page<AcmeAccount>>;
  getAccount(actor: Actor, id: string): Promise<AcmeAccount>;
  /** Newest first. */
  listOrders(actor: Actor, account: string, input: PageInput): Promise<Page<AcmeOrder>>;
  deactivateAccount(actor: Actor, id: string): Promise<AcmeAccount>;
}

const DAY_MS = 86_400_000;

/** The server checks its own input and writes its own audit events; here is who may. */
export function createAcmeServerUseCases(deps: ControlDeps): AcmeServerUseCases {
  const server = () => {
    if (deps.acmeServer === undefined) throw absent('the ACME server');
    return deps.acmeServer.administration;
  };
  const read = (actor: Actor) => {
    requirePermission(actor, 'system.acme.read');
    return server();
  };
  const act = (action: string, resource: string) => ({ permission: 'system.acme.manage' as const, action, resource });
  const pageFrom = (page: PageInput) => {
    const after = decodeCursor(page.cursor, 'string');
    return { limit: limitOf(page) + 1, ...(after !== undefined && { after }) };
  };
  return {
    async listProfiles(actor, page) {
      return pageOf(await read(actor).listProfiles(pageFrom(page)), limitOf(page), ({ id }) => id, profileDocument);
    },
    getProfile: async (actor, id) => profileDocument(await read(actor).getProfile(id)),
    createProfile: (actor, input) =>
      guarded(deps, actor, act('acme_profile.create', 'acme_profile:new'), async () =>
        profileDocument(await server().createProfile(input, actor.name)),
      ),
    changeProfile: (actor, id, input) =>
      guarded(deps, actor, act('acme_profile.update', `acme_profile:${id}`), async () =>
        profileDocument(await server().updateProfile(id, input, actor.name)),
      ),
    removeProfile: (actor, id) =>
      guarded(deps, actor, act('acme_profile.delete', `acme_profile:${id}`), () =>
        server().deleteProfile(id, actor.name),
      ),
    async listEabKeys(actor, profile, page) {
      const rows = await read(actor).listEabKeys(profile, pageFrom(page));
      return pageOf(rows, limitOf(page), ({ id }) => id, eabKeyDocument);
    },
    createEabKey: (actor, profile, input) =>
      guarded(deps, actor, act('acme_eab_key.create', `acme_profile:${profile}`), async () => {
        const { expires_in_days: days, ...settings } = input;
        const expires = days === undefined ? {} : { expires_at: deps.clock.now() + days * DAY_MS };
        const made = await server().createEabKey(profile, { ...settings, ...expires }, actor.name);
        return { ...eabKeyDocument(made), hmac_key: made.hmac_key };
      }),
    revokeEabKey: (actor, profile, id) =>
      guarded(deps, actor, act('acme_eab_key.revoke', `acme_eab_key:${id}`), async () =>
        eabKeyDocument(await server().revokeEabKey(profile, id, actor.name)),
      ),
    async listAccounts(actor, input) {
      const filter = input.profile === undefined ? {} : { profileId: input.profile };
      const rows = await read(actor).listAccounts(filter, pageFrom(input));
      return pageOf(rows, limitOf(input), ({ id }) => id, accountDocument);
    },
    getAccount: async (actor, id) => accountDocument(await read(actor).getAccount(id)),
    async listOrders(actor, account, input) {
      const administration = read(actor);
      await administration.getAccount(account);
      const before = decodeCursor(input.cursor, 'string');
      const page = { limit: limitOf(input) + 1, ...(before !== undefined && { before }) };
      return pageOf(await administration.listOrders(account, page), limitOf(input), ({ id }) => id, orderDocument);
    },
    deactivateAccount: (actor, id) =>
      guarded(deps, actor, act('acme_account.deactivate', `acme_account:${id}`), async () =>
        accountDocument(await server().deactivateAccount(id, actor.name)),
      ),
  };
}

const profileDocument = (view: ProfileView): AcmeProfile => ({
  ...view,
  created_at: time(view.created_at),
  updated_at: time(view.updated_at),
});

const eabKeyDocument = (view: EabKeyView): EabKey => ({
  id: view.id,
  profile: view.profile,
  status: view.status,
  settings: view.settings,
  account: view.account ?? null,
  certificates: view.certificates,
  created_at: time(view.created_at),
  expires_at: timeOrNull(view.expires_at),
});

const accountDocument = (view: AccountView): AcmeAccount => ({
  id: view.id,
  profile: view.profile,
  status: view.status,
  contact: [...view.contact],
  thumbprint: view.thumbprint,
  eab_key: view.eab_key ?? null,
  created_at: time(view.created_at),
});

const orderDocument = (view: OrderView): AcmeOrder => ({
  id: view.id,
  status: view.status,
  names: [...view.names],
  problem: view.problem ?? null,
  certificate_serial: view.serial ?? null,
  created_at: time(view.createdAt),
  expires_at: time(view.expiresAt),
});
