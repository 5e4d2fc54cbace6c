import { type Clock, Fault, newId, newSecret, sha256Hex } from '../base/index.ts';
import {
  ALL_PERMISSIONS,
  type CreatedToken,
  type CreateToken,
  isPermission,
  type Permission,
  type Token,
} from '../contract/index.ts';
import { appById } from '../store/apps.ts';
import { appendAudit, type Store } from '../store/index.ts';
import {
  deleteSession,
  insertSession,
  insertToken,
  listTokens,
  noteTokenUse,
  revokeToken,
  sessionByHash,
  type TokenRow,
  tokenByHash,
  tokenById,
} from '../store/tokens.ts';
import { type Actor, may, permissionMissing, requirePermission, requireUnscoped } from './actor.ts';
import { auditEvent, type ControlDeps, guarded, invalid, notFound } from './context.ts';
import { tokenDocument } from './documents.ts';
import { decodeCursor, limitOf, type Page, type PageInput, pageOf } from './page.ts';
import { ownerOf, standingOf } from './standing.ts';

const DAY_MS = 86_400_000;
const SESSION_LASTS_MS = 12 * 3_600_000;
const USE_NOTED_EVERY_MS = 60_000;
const PREFIX = 'gh_';

export interface TokenUseCases {
  create(actor: Actor, input: CreateToken): Promise<CreatedToken>;
  list(actor: Actor, page: PageInput): Promise<Page<Token>>;
  revoke(actor: Actor, id: string): Promise<void>;
  /** The token's holder itself. */
  whoami(
    actor: Actor,
  ): Promise<{ name: string; display_name: string; permissions: Permission[]; apps: string[] | null }>;
  /** Who a bearer token stands for. Throws a `Fault` of status 401, the same for every reason. */
  authenticate(token: string): Promise<Actor>;
  /** Exchanges a token for a session secret, which a browser keeps in a cookie. */
  signIn(token: string): Promise<{ secret: string; actor: Actor; expiresAt: number }>;
  /** A session for somebody that an OpenID provider vouched for. */
  signInAs(
    subject: string,
    permissions: readonly Permission[],
    persons: readonly string[],
  ): Promise<{ secret: string; actor: Actor; expiresAt: number }>;
  session(secret: string): Promise<Actor>;
  signOut(secret: string): Promise<void>;
  /** On a store that has no token yet: one with every permission. `undefined` ever after. */
  createFirst(): Promise<CreatedToken | undefined>;
}

export function createTokenUseCases(deps: ControlDeps): TokenUseCases {
  const { store, clock } = deps;
  return {
    create: (actor, input) => {
      const act = { permission: 'tokens.manage', action: 'token.create', resource: `token:${input.name}` } as const;
      return guarded(deps, actor, act, async () => {
        requireUnscoped(actor, 'making a token');
        // Nobody hands out more than they have.
        for (const permission of input.permissions) if (!may(actor, permission)) throw permissionMissing(permission);
        if (input.apps !== undefined) await checkScope(deps, input.permissions, input.apps);
        const { row, token } = newToken(input, actor, clock.now());
        await store.write(async (tx) => {
          await insertToken(tx, row);
          const { permissions, apps = null, belongs_to = null } = input;
          const facts = { id: row.id, permissions, apps, belongs_to };
          await appendAudit(tx, auditEvent(actor, { ...act, resource: `token:${row.id}`, facts }, row.created_at));
        });
        return { ...tokenDocument(row, await ownerOf(store.db, row)), token };
      });
    },
    async list(actor, page) {
      requirePermission(actor, 'tokens.manage');
      const limit = limitOf(page);
      const before = decodeCursor(page.cursor, 'string');
      const rows = await listTokens(store.db, { limit: limit + 1, ...(before !== undefined && { before }) });
      const { data, ...rest } = pageOf(
        rows,
        limit,
        (row) => row.id,
        (row) => row,
      );
      return {
        ...rest,
        data: await Promise.all(data.map(async (row) => tokenDocument(row, await ownerOf(store.db, row)))),
      };
    },
    revoke: (actor, id) => {
      const act = {
        permission: 'tokens.manage',
        action: 'token.revoke',
        resource: `token:${id.slice(0, 100)}`,
      } as const;
      return guarded(deps, actor, act, async () => {
        requireUnscoped(actor, 'revoking a token');
        await store.write(async (tx) => {
          const row = await tokenById(tx, id);
          if (row === undefined) throw notFound('token', id, 'gatehouse tokens list');
          if (row.revoked_at !== null) return;
          const now = clock.now();
          await revokeToken(tx, id, now);
          await appendAudit(tx, auditEvent(actor, { ...act, facts: { name: row.name } }, now));
        });
      });
    },
    whoami: async (actor) => ({
      name: actor.name,
      display_name: (await standingOf(store.db, actor)).name,
      permissions: [...actor.permissions],
      apps: actor.apps === undefined ? null : [...actor.apps],
    }),
    async authenticate(token) {
      const row = await validToken(deps, token);
      return actorOf(row.permissions, row.apps, `token:${row.id}`);
    },
    async signIn(token) {
      const row = await validToken(deps, token);
      return openSession(store, clock, { ...row, subject: `token:${row.id}`, tokenId: row.id });
    },
    signInAs: (subject, permissions, persons) =>
      openSession(store, clock, {
        subject,
        tokenId: null,
        permissions: JSON.stringify(permissions),
        apps: null,
        persons: JSON.stringify(persons),
        expires_at: null,
      }),
    async session(secret) {
      const row = await sessionByHash(store.db, sha256Hex(secret));
      if (row === undefined || row.expires_at <= clock.now())
        throw unauthorized('the session has ended', 'sign in again');
      return actorOf(row.permissions, row.apps, row.subject, row.persons);
    },
    async signOut(secret) {
      await store.write((tx) => deleteSession(tx, sha256Hex(secret)));
    },
    async createFirst() {
      const input = { name: 'first administrator', permissions: [...ALL_PERMISSIONS] };
      const { row, token } = newToken(input, SYSTEM, clock.now());
      const made = await store.write(async (tx) => {
        if ((await listTokens(tx, { limit: 1 })).length > 0) return false;
        await insertToken(tx, row);
        await appendAudit(tx, {
          actor: 'system',
          action: 'token.create',
          resource: `token:${row.id}`,
          at: row.created_at,
        });
        return true;
      });
      return made ? { ...tokenDocument(row, row.name), token } : undefined;
    },
  };
}

/** What the first start and tests act as. */
export const SYSTEM: Actor = { name: 'system', permissions: new Set(ALL_PERMISSIONS) };

function newToken(input: CreateToken, by: Actor, now: number): { row: TokenRow; token: string } {
  const token = `${PREFIX}${newSecret(32)}`;
  const row = {
    id: newId('tok', now),
    name: input.name,
    hash: sha256Hex(token),
    permissions: JSON.stringify(input.permissions),
    apps: input.apps === undefined ? null : JSON.stringify(input.apps),
    created_by: by.name,
    belongs_to: input.belongs_to?.trim() ?? null,
    maker_persons: by.persons === undefined ? null : JSON.stringify(by.persons),
    created_at: now,
    expires_at: input.expires_in_days === undefined ? null : now + input.expires_in_days * DAY_MS,
    last_used_at: null,
    revoked_at: null,
  };
  return { row, token };
}

async function checkScope(deps: ControlDeps, permissions: readonly string[], apps: readonly string[]): Promise<void> {
  const wide = permissions.findIndex((permission) => !permission.startsWith('apps.'));
  if (wide >= 0)
    throw invalid(
      `permissions[${wide}]`,
      'permission_too_wide',
      `${permissions[wide]} concerns the whole installation, so a token that is limited to apps cannot have it`,
      'make two tokens',
    );
  for (const [index, id] of apps.entries())
    if ((await appById(deps.store.db, id)) === undefined)
      throw invalid(`apps[${index}]`, 'unknown_app', `there is no app ${id}`);
}

async function validToken({ store, clock }: ControlDeps, token: string): Promise<TokenRow> {
  const row = token.length > 200 ? undefined : await tokenByHash(store.db, sha256Hex(token));
  const now = clock.now();
  if (row === undefined || row.revoked_at !== null || (row.expires_at !== null && row.expires_at <= now))
    throw unauthorized(
      'the token is unknown, expired or revoked',
      'use another token, or make one: gatehouse tokens create',
    );
  if (row.last_used_at === null || now - row.last_used_at >= USE_NOTED_EVERY_MS)
    await store.write((tx) => noteTokenUse(tx, row.id, now));
  return row;
}

async function openSession(
  store: Store,
  clock: Clock,
  of: {
    subject: string;
    tokenId: string | null;
    permissions: string;
    apps: string | null;
    persons?: string;
    expires_at: number | null;
  },
) {
  const secret = newSecret(32);
  const now = clock.now();
  const expiresAt = Math.min(now + SESSION_LASTS_MS, of.expires_at ?? Number.POSITIVE_INFINITY);
  await store.write(async (tx) => {
    await insertSession(tx, {
      hash: sha256Hex(secret),
      token_id: of.tokenId,
      subject: of.subject,
      permissions: of.permissions,
      apps: of.apps,
      persons: of.persons ?? null,
      created_at: now,
      expires_at: expiresAt,
    });
    await appendAudit(tx, { actor: of.subject, action: 'session.open', resource: of.subject, at: now });
  });
  return { secret, actor: actorOf(of.permissions, of.apps, of.subject, of.persons), expiresAt };
}

function actorOf(permissions: string, apps: string | null, name: string, persons: string | null = null): Actor {
  return {
    name,
    permissions: new Set((JSON.parse(permissions) as string[]).filter(isPermission)),
    ...(persons !== null && { persons: JSON.parse(persons) as string[] }),
    ...(apps !== null && { apps: new Set(JSON.parse(apps) as string[]) }),
  };
}

export function unauthorized(detail: string, advice: string): Fault {
  return new Fault({ code: 'unauthorized', detail, party: 'client', retry: 'never', status: 401, advice });
}
