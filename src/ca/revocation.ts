import { findCertificate, findCrl, latestRevocation, listRevoked, upsertCrl } from '../store/ca.ts';
import {
  isIssuedBy,
  keyBits,
  type OcspStatus,
  parseOcspRequest,
  writeOcspBody,
  writeOcspError,
  writeOcspResponse,
  writeRevocationList,
  writeSigned,
} from '../x509/index.ts';
import type { Authority } from './authority.ts';
import type { HierarchyDeps } from './hierarchy.ts';
import { CRL_PARTITIONS, type DistributionUrls } from './issue.ts';
import type { CaMetrics } from './metrics.ts';
import { createOcspResponders } from './ocsp-responder.ts';

const DAY = 86_400_000;
/** A list is good for a week, and made anew every day or when something was revoked. */
const LIST_LIFETIME = 7 * DAY;
const LIST_FRESH = DAY;
const ANSWER_LIFETIME = DAY;

/** What the CA says about its certificates afterwards. */
export interface Revocation {
  /** The list of one partition in DER, with the time until which it is good; undefined when there is no such list. */
  list(authorityId: string, partition: number): Promise<{ der: Buffer; nextUpdate: number } | undefined>;
  /** The answer to an OCSP request, both in DER. Never rejects for what a client sent. */
  ocsp(request: Uint8Array): Promise<{ der: Buffer; nextUpdate?: number }>;
}

export function createRevocation(
  deps: HierarchyDeps,
  authorities: () => readonly Authority[],
  urls: DistributionUrls | undefined,
  metrics: CaMetrics,
  organization: string,
): Revocation {
  const { store, clock } = deps;
  const responderOf = createOcspResponders(deps, metrics, organization);
  // Two requests that find the list stale share one new list.
  const making = new Map<string, Promise<{ der: Buffer; nextUpdate: number }>>();

  async function makeList(authority: Authority, partition: number): Promise<{ der: Buffer; nextUpdate: number }> {
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

  async function statusOf(serial: Buffer, authorityId: string): Promise<OcspStatus> {
    const row = await findCertificate(store.db, serial.toString('hex'));
    if (row === undefined || row.authority_id !== authorityId) return { kind: 'unknown' };
    return row.revoked_at === null
      ? { kind: 'good' }
      : { kind: 'revoked', at: row.revoked_at, reason: row.reason ?? 0 };
  }

  return {
    async list(authorityId, partition) {
      const authority = authorities().find(({ id }) => id === authorityId);
      if (authority === undefined || !Number.isInteger(partition) || partition < 0 || partition >= CRL_PARTITIONS)
        return undefined;
      const kept = await findCrl(store.db, authorityId, partition);
      const stale =
        kept === undefined ||
        clock.now() - kept.this_update > LIST_FRESH ||
        ((await latestRevocation(store.db, authorityId)) ?? 0) >= kept.this_update;
      if (!stale) return { der: Buffer.from(kept.crl), nextUpdate: kept.next_update };
      const key = `${authorityId}/${partition}`;
      const made = making.get(key) ?? makeList(authority, partition).finally(() => making.delete(key));
      making.set(key, made);
      return made;
    },
    async ocsp(der) {
      let request: ReturnType<typeof parseOcspRequest>;
      try {
        request = parseOcspRequest(der);
      } catch {
        metrics.count('gatehouse_ca_ocsp_answers_total', { status: 'refused' });
        return { der: writeOcspError(1) };
      }
      const [first] = request.certificates;
      const authority = authorities().find(({ certificate }) =>
        isIssuedBy(first!, certificate.subject, keyBits(certificate.spki)),
      );
      // Not our issuer, or one whose key is not here: the answer that means "ask somebody else" (RFC 5019 §2.2.3).
      if (authority === undefined || authority.signer.place === 'elsewhere') {
        metrics.count('gatehouse_ca_ocsp_answers_total', { status: 'refused' });
        return { der: writeOcspError(6) };
      }
      const now = clock.now();
      const nextUpdate = now + ANSWER_LIFETIME;
      const answers = await Promise.all(
        request.certificates.map(async (id) => ({
          id,
          status: await statusOf(id.serial, authority.id),
          thisUpdate: now,
          nextUpdate,
        })),
      );
      const { signer, certificates } = await responderOf(authority);
      const body = writeOcspBody({
        responderKeyHash: signer.keyId,
        producedAt: now,
        answers,
        nonce: request.nonce,
      });
      const signature = await signer.sign(body);
      metrics.count('gatehouse_ca_signatures_total', { what: 'ocsp' });
      for (const { status } of answers) metrics.count('gatehouse_ca_ocsp_answers_total', { status: status.kind });
      return {
        der: writeOcspResponse(body, signer.algorithm, signature, certificates),
        ...(request.nonce === undefined && { nextUpdate }),
      };
    },
  };
}
