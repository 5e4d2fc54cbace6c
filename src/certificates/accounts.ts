import { createPrivateKey, type KeyObject } from 'node:crypto';
import { problemTypeOf } from '../acme/index.ts';
import type { AcmeAccount, AcmeClient } from '../acme-client/index.ts';
import { Fault, newSecret } from '../base/index.ts';
import { accountOfIssuer, type IssuerAccountRow, putAccount } from '../store/issuer-accounts.ts';
import type { IssuerRow } from '../store/issuers.ts';
import { keyPem } from '../x509/index.ts';
import type { Engine } from './ports.ts';

/** Our accounts at issuers: one each, its key in the secret store, registered when first needed. */
export interface Accounts {
  /** Registers where need be. */
  of(issuer: IssuerRow, client: AcmeClient, signal: AbortSignal): Promise<AcmeAccount>;
  /** The CA no longer knows it: the next use registers again. */
  lost(issuerId: string): Promise<void>;
  /** RFC 8555 §7.3.5. */
  rollOver(issuer: IssuerRow, client: AcmeClient, signal: AbortSignal): Promise<void>;
}

export function createAccounts(engine: Engine): Accounts {
  const { store, secrets, clock, log } = engine;
  const known = new Map<string, Promise<AcmeAccount>>();

  async function load(path: string): Promise<KeyObject> {
    const pem = await secrets.get(path);
    if (pem !== undefined) return createPrivateKey(Buffer.from(pem));
    throw new Fault({
      code: 'account_key_missing',
      detail: `the account key ${path} is not in the secret store`,
      party: 'secret-store',
      retry: 'backoff',
    });
  }

  async function newKey(issuerId: string): Promise<{ path: string; key: KeyObject }> {
    const key = await engine.newKey('ec-p256');
    const path = `issuers/${issuerId}/account/${newSecret(9)}/key`;
    await secrets.put(path, Buffer.from(keyPem(key)));
    return { path, key };
  }

  /** The row, made with a fresh key if there was none; of several processes the first wins and all use its key. */
  async function rowOf(issuer: IssuerRow): Promise<IssuerAccountRow> {
    const found = await accountOfIssuer(store.db, issuer.id);
    if (found !== undefined && found.directory === issuer.directory) return found;
    const { path } = await newKey(issuer.id);
    const now = clock.now();
    const fresh: IssuerAccountRow = {
      issuer_id: issuer.id,
      directory: issuer.directory,
      url: '',
      key_path: path,
      next_key_path: null,
      thumbprint: '',
      contact: '[]',
      terms_url: null,
      terms_agreed_at: null,
      created_at: now,
      updated_at: now,
    };
    return store.write(async (tx) => {
      const other = await accountOfIssuer(tx, issuer.id);
      if (other !== undefined && other.directory === issuer.directory) return other;
      await putAccount(tx, fresh);
      return fresh;
    });
  }

  async function open(issuer: IssuerRow, client: AcmeClient, signal: AbortSignal): Promise<AcmeAccount> {
    const row = await settleRollover(await rowOf(issuer), client, signal);
    const key = await load(row.key_path);
    const contact = JSON.parse(issuer.contact) as string[];
    if (row.url !== '') {
      const account: AcmeAccount = { url: row.url, key, thumbprint: row.thumbprint };
      if (row.contact !== issuer.contact) {
        await client.updateContact(account, contact, signal);
        await save({ ...row, contact: issuer.contact });
      }
      return account;
    }
    const hmacKey = issuer.eab_kid === null ? undefined : await secrets.get(eabPath(issuer.id));
    const eab = issuer.eab_kid !== null && hmacKey !== undefined ? { eab: { kid: issuer.eab_kid, hmacKey } } : {};
    const { account, path } = await registerFresh(issuer, client, row.key_path, key, { contact, ...eab }, signal);
    const { meta } = await client.directory(signal);
    await save({
      ...row,
      url: account.url,
      key_path: path,
      thumbprint: account.thumbprint,
      contact: issuer.contact,
      terms_url: meta?.termsOfService ?? null,
      terms_agreed_at: clock.now(),
    });
    log.info({ issuer: issuer.id, account: account.url }, 'registered an account with the issuer');
    return account;
  }

  /** An account that was closed for good needs another key (RFC 8555 §7.3.6). */
  async function registerFresh(
    issuer: IssuerRow,
    client: AcmeClient,
    path: string,
    key: KeyObject,
    registration: Parameters<AcmeClient['register']>[1],
    signal: AbortSignal,
  ) {
    try {
      return { account: await client.register(key, registration, signal), path };
    } catch (error) {
      const closed =
        error instanceof Fault && (error.code === 'account_unusable' || problemTypeOf(error.code) === 'unauthorized');
      if (!closed) throw error;
      const fresh = await newKey(issuer.id);
      return { account: await client.register(fresh.key, registration, signal), path: fresh.path };
    }
  }

  /** After a crash in the middle of a rollover: the CA says which of the two keys it knows. */
  async function settleRollover(row: IssuerAccountRow, client: AcmeClient, signal: AbortSignal) {
    if (row.next_key_path === null) return row;
    const next = await load(row.next_key_path);
    const found = await client.register(next, { onlyExisting: true }, signal).catch((error: unknown) => {
      if (error instanceof Fault && error.details.party === 'network') throw error;
      return undefined;
    });
    const settled: IssuerAccountRow = { ...row, next_key_path: null };
    return save(
      found?.url === row.url ? { ...settled, key_path: row.next_key_path, thumbprint: found.thumbprint } : settled,
    );
  }

  async function save(row: IssuerAccountRow): Promise<IssuerAccountRow> {
    const saved = { ...row, updated_at: clock.now() };
    await store.write((tx) => putAccount(tx, saved));
    return saved;
  }

  return {
    of(issuer, client, signal) {
      const cacheKey = `${issuer.id} ${issuer.directory} ${issuer.contact}`;
      let opened = known.get(cacheKey);
      if (opened === undefined) {
        opened = open(issuer, client, signal);
        known.set(cacheKey, opened);
        opened.catch(() => known.delete(cacheKey));
      }
      return opened;
    },
    async lost(issuerId) {
      known.clear();
      const row = await accountOfIssuer(store.db, issuerId);
      if (row !== undefined) await save({ ...row, url: '' });
    },
    async rollOver(issuer, client, signal) {
      const account = await this.of(issuer, client, signal);
      const row = await rowOf(issuer);
      const { path, key } = await newKey(issuer.id);
      await save({ ...row, next_key_path: path });
      const rolled = await client.changeKey(account, key, signal);
      await save({ ...row, key_path: path, next_key_path: null, thumbprint: rolled.thumbprint });
      known.clear();
      await secrets.delete(row.key_path);
      log.info({ issuer: issuer.id }, 'changed the account key at the issuer');
    },
  };
}

export const eabPath = (issuerId: string): string => `issuers/${issuerId}/eab`;
