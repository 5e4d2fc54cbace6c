import type { Clock } from '../base/index.ts';
import type { Store } from '../store/index.ts';
import { replaceSealedSecret, sealedSecretsAfter } from '../store/secrets.ts';
import type { Sealer } from './sealer.ts';

const PAGE = 200;

/**
 * Seals again, under the first master key, every secret that rests under another one; what is read and written meanwhile
 * is not disturbed. Safe to stop at any time and to run again. Answers how many it sealed.
 */
export async function resealSecrets(store: Store, sealer: Sealer, clock: Clock, signal?: AbortSignal): Promise<number> {
  let count = 0;
  for (let after = ''; ; ) {
    const rows = await sealedSecretsAfter(store.db, after, PAGE);
    const last = rows.at(-1);
    if (last === undefined || signal?.aborted === true) return count;
    const old = rows.filter(({ envelope }) => !sealer.isCurrent(envelope));
    const fresh = old.map(({ path, envelope }) => ({
      path,
      envelope,
      next: sealer.seal(sealer.open(envelope, path), path),
    }));
    if (fresh.length > 0)
      count += await store.write(async (tx) => {
        let replaced = 0;
        // Only where it is still the one that was read: a newer value is sealed under the first key already.
        for (const { path, envelope, next } of fresh)
          replaced += await replaceSealedSecret(tx, path, envelope, next, clock.now());
        return replaced;
      });
    after = last.path;
  }
}
