import { type CertificateRow, findCrl, isRevokedSince, listRevoked, listsOf, upsertCrl } from '../store/ca.ts';
import { writeRevocationList, writeSigned } from '../x509/index.ts';
import type { Authority } from './authority.ts';
import type { HierarchyDeps } from './hierarchy.ts';
import { CRL_PARTITIONS, crlPartition, type DistributionUrls } from './issue.ts';
import type { CaMetrics } from './metrics.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** A list is good for a week, and made anew every day or when something was revoked. */
const LIST_LIFETIME = 7 * DAY;
const LIST_FRESH = DAY;
/** Made anew by ourselves before somebody who asks would have to wait for that. */
const LIST_AHEAD = LIST_FRESH - 2 * HOUR;

export interface List {
  /** DER. */
  readonly der: Buffer;
  readonly nextUpdate: number;
}

export interface RevocationLists {
  /** The list of one partition, made now where it is stale; undefined when there is no such list. */
  of(authorityId: string, partition: number): Promise<List | undefined>;
  /**
   * Makes what will soon be stale, or is by a revocation: of the intermediates where certificates say where lists are,
   * else of those that somebody has asked for. Idempotent, and any replica may do it.
   */
  keep(): Promise<void>;
  /** Makes the list of a certificate whose revocation has been written, where there is to be one. */
  revoked(certificate: Pick<CertificateRow, 'authority_id' | 'serial'>): Promise<void>;
}

export function createRevocationLists(
  { store, clock }: HierarchyDeps,
  authorities: () => readonly Authority[],
  urls: DistributionUrls | undefined,
  metrics: CaMetrics,
): RevocationLists {
  // Two that find the list stale share one new list.
  const making = new Map<string, Promise<List>>();

  function make(authority: Authority, partition: number): Promise<List> {
    const key = `${authority.id}/${partition}`;
    const made = making.get(key) ?? sign(authority, partition).finally(() => making.delete(key));
    making.set(key, made);
    return made;
  }

  async function sign(authority: Authority, partition: number): Promise<List> {
    const now = clock.now();
    const revoked = await listRevoked(store.db, authority.id, partition, now - LIST_LIFETIME);
    const nextUpdate = Math.min(now + LIST_LIFETIME, authority.certificate.notAfter);
    const body = writeRevocationList({
      signature: authority.signer.algorithm,
      issuer: authority.certificate.subject,
      thisUpdate: now,
      nextUpdate,
      // Milliseconds only grow, on every replica alike (RFC 5280 §5.2.3).
      number: now,
      authorityKeyIdentifier: authority.signer.keyId,
      url: urls?.crl(authority.id, partition),
      entries: revoked.map(({ serial, revoked_at, reason }) => ({
        serial: Buffer.from(serial, 'hex'),
        revokedAt: revoked_at ?? now,
        reason: reason ?? 0,
      })),
    });
    const der = writeSigned(body, authority.signer.algorithm, await authority.signer.sign(body));
    metrics.count('gatehouse_ca_signatures_total', { what: 'list' });
    const row = {
      authority_id: authority.id,
      partition,
      number: now,
      crl: der,
      this_update: now,
      next_update: nextUpdate,
    };
    await store.write((tx) => upsertCrl(tx, row));
    return { der, nextUpdate };
  }

  const isStale = async (authority: Authority, partition: number, madeAt: number | undefined, after: number) =>
    madeAt === undefined ||
    clock.now() - madeAt > after ||
    (await isRevokedSince(store.db, authority.id, partition, madeAt));

  const isPublished = ({ kind, isAlternate }: Authority) =>
    urls !== undefined && kind === 'intermediate' && !isAlternate;

  async function keepThoseOf(authority: Authority): Promise<void> {
    const made = new Map((await listsOf(store.db, authority.id)).map((row) => [row.partition, row.this_update]));
    for (let partition = 0; partition < CRL_PARTITIONS; partition++) {
      const madeAt = made.get(partition);
      if (madeAt === undefined && !isPublished(authority)) continue;
      if (await isStale(authority, partition, madeAt, LIST_AHEAD)) await make(authority, partition);
    }
  }

  return {
    async of(authorityId, partition) {
      const authority = authorities().find(({ id }) => id === authorityId);
      if (authority === undefined || !Number.isInteger(partition) || partition < 0 || partition >= CRL_PARTITIONS)
        return undefined;
      const kept = await findCrl(store.db, authorityId, partition);
      if (kept === undefined || (await isStale(authority, partition, kept.this_update, LIST_FRESH)))
        return make(authority, partition);
      return { der: Buffer.from(kept.crl), nextUpdate: kept.next_update };
    },
    async keep() {
      const now = clock.now();
      for (const authority of authorities())
        if (authority.signer.place !== 'elsewhere' && authority.certificate.notAfter > now)
          await keepThoseOf(authority);
    },
    async revoked({ authority_id, serial }) {
      const authority = authorities().find(({ id }) => id === authority_id);
      const partition = crlPartition(Buffer.from(serial, 'hex'));
      if (authority === undefined) return;
      if (!isPublished(authority) && (await findCrl(store.db, authority_id, partition)) === undefined) return;
      // One that is being made may have been read before the revocation was written.
      await making.get(`${authority_id}/${partition}`)?.catch(() => {});
      await make(authority, partition);
    },
  };
}
