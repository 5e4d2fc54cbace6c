import { Fault } from '../base/index.ts';
import type { SecretStore } from './secret-store.ts';
import type { VaultSession } from './vault-session.ts';

export interface VaultPlace {
  /** Where a KV engine of version 2 is mounted. */
  readonly mount: string;
  /** Path under which everything of ours is. */
  readonly prefix: string;
}

const MOST_REMEMBERED = 5_000;

/**
 * Secrets in Vault or OpenBao, KV version 2. What was read or written once is remembered in memory, and answered while
 * the store cannot be reached: its outage takes nothing away that is in use.
 */
export function createVaultSecretStore(session: VaultSession, place: VaultPlace): SecretStore {
  const remembered = new Map<string, Uint8Array>();
  const remember = (path: string, value: Uint8Array) => {
    remembered.delete(path);
    remembered.set(path, value);
    if (remembered.size > MOST_REMEMBERED) remembered.delete(remembered.keys().next().value!);
  };
  const url = (kind: 'data' | 'metadata', path: string) =>
    [place.mount, kind, ...place.prefix.split('/'), ...path.split('/')]
      .filter((segment) => segment !== '')
      .map(encodeURIComponent)
      .join('/');
  return {
    async put(path, value) {
      await session.call('POST', url('data', path), { data: { value: Buffer.from(value).toString('base64') } });
      remember(path, value);
    },
    async get(path) {
      try {
        const { status, json } = await session.call('GET', url('data', path));
        if (status === 404) {
          remembered.delete(path);
          return undefined;
        }
        const value = secretIn(json, path);
        remember(path, value);
        return value;
      } catch (error) {
        const known = remembered.get(path);
        if (known !== undefined && error instanceof Fault && error.code === 'secret_store_unreachable') return known;
        throw error;
      }
    },
    async delete(path) {
      // With its metadata: a deleted secret leaves no older version behind.
      await session.call('DELETE', url('metadata', path));
      remembered.delete(path);
    },
  };
}

function secretIn(json: Readonly<Record<string, unknown>>, path: string): Uint8Array {
  const { data } = (json.data ?? {}) as { data?: { value?: unknown } };
  if (typeof data?.value === 'string') return Buffer.from(data.value, 'base64');
  throw new Fault({
    code: 'secret_unreadable',
    detail: `the secret ${path} in the secret store is not one that was written here`,
    party: 'secret-store',
    retry: 'never',
  });
}
