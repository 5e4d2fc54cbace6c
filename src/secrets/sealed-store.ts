import type { Clock } from '../base/index.ts';
import type { Store } from '../store/index.ts';
import { deleteSealedSecret, getSealedSecret, putSealedSecret } from '../store/secrets.ts';
import type { Sealer } from './sealer.ts';
import type { SecretStore } from './secret-store.ts';

/** Secrets sealed in the store's own database. */
export function createSealedSecretStore(store: Store, sealer: Sealer, clock: Clock): SecretStore {
  return {
    async put(path, value) {
      const envelope = sealer.seal(value, path);
      await store.write((tx) => putSealedSecret(tx, path, envelope, clock.now()));
    },
    async get(path) {
      const envelope = await getSealedSecret(store.db, path);
      return envelope && sealer.open(envelope, path);
    },
    delete: (path) => store.write((tx) => deleteSealedSecret(tx, path)),
  };
}
