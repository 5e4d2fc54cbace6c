import { findCertificate } from '../store/ca.ts';
import {
  isIssuedBy,
  keyBits,
  type OcspStatus,
  parseOcspRequest,
  writeOcspBody,
  writeOcspError,
  writeOcspResponse,
} from '../x509/index.ts';
import type { Authority } from './authority.ts';
import type { HierarchyDeps } from './hierarchy.ts';
import type { DistributionUrls } from './issue.ts';
import type { CaMetrics } from './metrics.ts';
import { createOcspResponders } from './ocsp-responder.ts';
import { createRevocationLists, type List, type RevocationLists } from './revocation-lists.ts';

const ANSWER_LIFETIME = 86_400_000;

/** What the CA says about its certificates afterwards. */
export interface Revocation {
  /** The list of one partition in DER, with the time until which it is good; undefined when there is no such list. */
  list(authorityId: string, partition: number): Promise<List | undefined>;
  readonly lists: Pick<RevocationLists, 'keep' | 'revoked'>;
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
  const lists = createRevocationLists(deps, authorities, urls, metrics);

  async function statusOf(serial: Buffer, authorityId: string): Promise<OcspStatus> {
    const row = await findCertificate(store.db, serial.toString('hex'));
    if (row === undefined || row.authority_id !== authorityId) return { kind: 'unknown' };
    return row.revoked_at === null
      ? { kind: 'good' }
      : { kind: 'revoked', at: row.revoked_at, reason: row.reason ?? 0 };
  }

  return {
    list: lists.of,
    lists,
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
