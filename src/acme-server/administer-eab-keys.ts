import { randomBytes } from 'node:crypto';
import { newId } from '../base/index.ts';
import { type EabKeyRow, findEabKey, insertEabKey, listEabKeys, revokeEabKey } from '../store/acme-profiles.ts';
import { appendAudit } from '../store/audit.ts';
import { requireProfile } from './administer-profiles.ts';
import type { AcmeAdministration, AdministrationDeps } from './administration.ts';
import { fail, wrongField } from './administration-faults.ts';
import { type EabKeySettings, parseEabSettings, parseStoredEabSettings } from './eab-key.ts';
import { eabSecretPath } from './external-account.ts';

export interface EabKeyView {
  /** The `kid` of a binding. */
  readonly id: string;
  readonly profile: string;
  readonly status: 'unused' | 'bound' | 'expired' | 'revoked';
  readonly settings: EabKeySettings;
  readonly account?: string;
  /** Issued under it so far. */
  readonly certificates: number;
  readonly created_at: number;
  readonly expires_at?: number;
}

type EabKeys = Pick<AcmeAdministration, 'listEabKeys' | 'createEabKey' | 'revokeEabKey'>;

export function administerEabKeys({ store, secrets, clock }: AdministrationDeps): EabKeys {
  return {
    async listEabKeys(profileId, page) {
      await requireProfile(store.db, profileId);
      return (await listEabKeys(store.db, profileId, page)).map((row) => eabKeyView(row, clock.now()));
    },
    async createEabKey(profileId, input, actor) {
      await requireProfile(store.db, profileId);
      const { expires_at: expires, ...rest } = (input ?? {}) as Record<string, unknown>;
      const settings = parseEabSettings(rest);
      const now = clock.now();
      if (expires !== undefined && (typeof expires !== 'number' || !Number.isSafeInteger(expires) || expires <= now))
        throw wrongField('expires_at', 'must be a later time, in milliseconds since 1970');
      const secret = randomBytes(32);
      const row: EabKeyRow = {
        id: newId('eab', now),
        profile_id: profileId,
        settings: JSON.stringify(settings),
        account_id: null,
        created_at: now,
        expires_at: expires ?? null,
        revoked_at: null,
        certificates: 0,
      };
      await secrets.put(eabSecretPath(row.id), secret);
      await store.write(async (tx) => {
        await insertEabKey(tx, row);
        await appendAudit(tx, {
          actor,
          action: 'acme_eab_key.create',
          resource: `acme_eab_key:${row.id}`,
          facts: { profile: profileId, settings },
          at: now,
        });
      });
      return { ...eabKeyView(row, now), hmac_key: secret.toString('base64url') };
    },
    async revokeEabKey(profileId, id, actor) {
      const row = await findEabKey(store.db, id);
      if (row === undefined || row.profile_id !== profileId)
        return fail('not_found', 404, `the profile ${profileId} has no EAB key ${id}`);
      const now = clock.now();
      await store.write(async (tx) => {
        if (!(await revokeEabKey(tx, id, now))) return;
        await appendAudit(tx, {
          actor,
          action: 'acme_eab_key.revoke',
          resource: `acme_eab_key:${id}`,
          facts: { profile: profileId },
          at: now,
        });
      });
      await secrets.delete(eabSecretPath(id));
      return eabKeyView({ ...row, revoked_at: row.revoked_at ?? now }, now);
    },
  };
}

function eabKeyView(row: EabKeyRow, now: number): EabKeyView {
  const expired = row.expires_at !== null && row.expires_at <= now;
  return {
    id: row.id,
    profile: row.profile_id,
    status: row.revoked_at !== null ? 'revoked' : expired ? 'expired' : row.account_id !== null ? 'bound' : 'unused',
    settings: parseStoredEabSettings(row.settings),
    ...(row.account_id !== null && { account: row.account_id }),
    certificates: row.certificates,
    created_at: row.created_at,
    ...(row.expires_at !== null && { expires_at: row.expires_at }),
  };
}
