import { randomBytes } from 'node:crypto';
import { Fault, newId } from '../base/index.ts';
import { claimNonceKey, nonceKeyPath } from '../store/acme-replicas.ts';
import type { AcmeServerDeps } from './services.ts';

/** The key under which all replicas on the store seal their nonces, made at the first start. 16 bytes. */
export async function openNonceKey({
  store,
  secrets,
  clock,
}: Pick<AcmeServerDeps, 'store' | 'secrets' | 'clock'>): Promise<Uint8Array> {
  const known = await nonceKeyPath(store.db);
  if (known !== undefined) return required(await secrets.get(known), known);
  // The secret comes first and the row decides: two first starts at once end with one key, and none without.
  const path = `acme/nonce-key/${newId('key', clock.now())}`;
  await secrets.put(path, randomBytes(16));
  const winner = await store.write((tx) => claimNonceKey(tx, path));
  if (winner !== path) await secrets.delete(path);
  return required(await secrets.get(winner), winner);
}

function required(key: Uint8Array | undefined, path: string): Uint8Array {
  if (key !== undefined) return key;
  throw new Fault({
    code: 'nonce_key_missing',
    detail: `the key of the ACME server's nonces is not in the secret store at ${path}`,
    party: 'secret-store',
    retry: 'never',
    advice: 'restore the secret store from the backup that goes with this database',
  });
}
