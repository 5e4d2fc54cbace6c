import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Clock } from '../base/index.ts';
import { claimNonce, findReplica, putReplica } from '../store/acme-replicas.ts';
import type { Store } from '../store/index.ts';
import type { ForeignNonces, NonceService } from './nonce.ts';

const LEASE_MS = 60_000;
export const HEARTBEAT_MS = 20_000;
const REDEEM_MS = 2_000;
/** Below the origin of a replica; the body is the nonce. Whoever knows a nonce could as well use it up. */
export const REDEEM_PATH = '/acme/nonce/redeem';

/**
 * Redeems a nonce where its used bit is: at the living replica that issued it, by one request; or, for one that ended
 * in good order, in what it left in the store. A replica that was killed takes its unused nonces along, and its clients
 * get `badNonce` with a new one (RFC 8555 §6.5).
 */
export function createForeignNonces(deps: { store: Store; clock: Clock; rootPem?: string }): ForeignNonces {
  const { store, clock, rootPem } = deps;
  return {
    async redeem(epoch, counter, nonce) {
      const row = await findReplica(store.db, epoch);
      if (row === undefined) return false;
      if (row.next_nonce !== null && row.used_nonces !== null) {
        if (!isUnused(row.used_nonces, row.next_nonce, counter)) return false;
        return store.write((tx) => claimNonce(tx, epoch, counter));
      }
      if (row.url === null || row.alive_until < clock.now()) return false;
      return redeemAt(row.url, nonce, rootPem).catch(() => false);
    },
  };
}

function isUnused(used: Uint8Array, next: number, counter: number): boolean {
  const window = used.length * 8;
  if (counter < 1 || counter >= next || counter < next - window) return false;
  const slot = counter % window;
  return (used[slot >> 3]! & (1 << (slot & 7))) === 0;
}

function redeemAt(origin: string, nonce: string, rootPem: string | undefined): Promise<boolean> {
  const url = new URL(REDEEM_PATH, origin);
  return new Promise((resolve, reject) => {
    const request = (url.protocol === 'https:' ? httpsRequest : httpRequest)(url, {
      method: 'POST',
      ca: rootPem,
      signal: AbortSignal.timeout(REDEEM_MS),
      headers: { 'Content-Length': nonce.length },
    });
    request.once('response', (response) => {
      response.resume();
      resolve(response.statusCode === 204);
    });
    request.once('error', reject);
    request.end(nonce);
  });
}

/** Keeps this replica known to the others until aborted; then leaves what was used, so that the rest stays good. */
export async function keepReplica(
  { store, clock, url }: { store: Store; clock: Clock; url: () => string | undefined },
  nonces: NonceService,
  signal: AbortSignal,
): Promise<void> {
  const living = () => ({
    epoch: nonces.epoch,
    url: url() ?? null,
    alive_until: clock.now() + LEASE_MS,
    next_nonce: null,
    used_nonces: null,
  });
  while (!signal.aborted) {
    await store.write((tx) => putReplica(tx, living()));
    await clock.sleep(HEARTBEAT_MS, signal).catch(() => {});
  }
  const { next, used } = nonces.close();
  await store.write((tx) =>
    putReplica(tx, { ...living(), alive_until: clock.now(), next_nonce: next, used_nonces: used }),
  );
}
