import { createMetrics, type MetricKinds, type Metrics, type Readings } from '../base/index.ts';
import { oldestLists } from '../store/ca.ts';
import type { Db } from '../store/index.ts';
import type { Authority } from './authority.ts';

/** What the CA counts. docs/acme-server.md lists these, and a test compares the two. */
export const CA_METRICS = {
  gatehouse_ca_signatures_total: {
    type: 'counter',
    labels: ['what'],
    help: 'Signatures made: certificate, list, ocsp.',
  },
  gatehouse_ca_ocsp_answers_total: {
    type: 'counter',
    labels: ['status'],
    help: 'Certificates that OCSP told about: good, revoked, unknown; refused where the request was none of ours.',
  },
  gatehouse_ca_authority_ends_seconds: {
    type: 'gauge',
    labels: ['authority', 'kind', 'state'],
    help: 'When the certificate of an authority ends, in seconds since 1970.',
  },
  gatehouse_ca_crl_age_seconds: {
    type: 'gauge',
    labels: ['authority'],
    help: 'Age of the oldest revocation list of an authority.',
  },
} as const satisfies MetricKinds;

export type CaMetrics = Metrics<typeof CA_METRICS>;

export const createCaMetrics = (): CaMetrics => createMetrics(CA_METRICS);

export async function readCaGauges(
  db: Db,
  authorities: readonly Authority[],
  now: number,
): Promise<Readings<typeof CA_METRICS>> {
  return {
    gatehouse_ca_authority_ends_seconds: authorities.map(({ id, kind, state, certificate }) => ({
      labels: { authority: id, kind, state },
      value: Math.floor(certificate.notAfter / 1000),
    })),
    // An authority that has ended makes no lists any more.
    gatehouse_ca_crl_age_seconds: (await oldestLists(db)).flatMap(({ authority_id, this_update }) =>
      authorities.some(({ id, certificate }) => id === authority_id && certificate.notAfter > now)
        ? [{ labels: { authority: authority_id }, value: Math.max(0, Math.round((now - this_update) / 1000)) }]
        : [],
    ),
  };
}
