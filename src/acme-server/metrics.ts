import type { AcmeProblemType } from '../acme/index.ts';
import { createMetrics, type MetricKinds, type Metrics, type Readings } from '../base/index.ts';
import { countAllOpenOrders } from '../store/acme-orders.ts';
import { countUpstreamOrders } from '../store/acme-upstream.ts';
import type { Db } from '../store/index.ts';
import type { Refusal } from './refusal.ts';

/** What the server counts. docs/acme-server.md lists these, and a test compares the two. */
export const ACME_METRICS = {
  gatehouse_acme_requests_total: {
    type: 'counter',
    labels: ['resource', 'status'],
    help: 'Requests by resource (the path below a profile) and HTTP status.',
  },
  gatehouse_acme_request_duration_seconds: {
    type: 'histogram',
    labels: ['resource'],
    help: 'From the head of a request until its answer can be sent.',
  },
  gatehouse_acme_problems_total: {
    type: 'counter',
    labels: ['type'],
    help: 'Problem documents answered, by type (RFC 8555 §6.7).',
  },
  gatehouse_acme_nonces_issued_total: { type: 'counter', labels: [], help: 'Nonces given out.' },
  gatehouse_acme_nonces_refused_total: {
    type: 'counter',
    labels: [],
    help: 'Nonces that were used before, too old, or not ours.',
  },
  gatehouse_acme_rate_limited_total: {
    type: 'counter',
    labels: ['limit'],
    help: 'Requests refused by a limit of the profile, by the name of the setting.',
  },
  gatehouse_acme_accounts_created_total: { type: 'counter', labels: ['profile'], help: 'New accounts.' },
  gatehouse_acme_orders_total: {
    type: 'counter',
    labels: ['profile', 'result'],
    help: 'Orders: created, passed_on (to the CA behind the profile), valid, invalid (refused by that CA).',
  },
  gatehouse_acme_certificates_issued_total: {
    type: 'counter',
    labels: ['profile', 'issuer'],
    help: 'Certificates issued, by our own CA (own) or by the issuer behind the profile.',
  },
  gatehouse_acme_certificates_revoked_total: {
    type: 'counter',
    labels: ['profile', 'by'],
    help: 'Certificates revoked: by the account, another_account, or the key of the certificate.',
  },
  gatehouse_acme_validations_total: {
    type: 'counter',
    labels: ['type', 'result'],
    help: 'Validations by challenge type; the result is valid, or the type of the problem.',
  },
  gatehouse_acme_validation_duration_seconds: {
    type: 'histogram',
    labels: ['type'],
    help: 'How long validations took, without the time they waited for their turn.',
  },
  gatehouse_acme_perspective_checks_total: {
    type: 'counter',
    labels: ['perspective', 'result'],
    help: 'Questions to other perspectives: seen, not_seen, unreachable.',
  },
  gatehouse_acme_validations: {
    type: 'gauge',
    labels: ['state'],
    help: 'Validations of this process that are waiting or under_way.',
  },
  gatehouse_acme_open_orders: {
    type: 'gauge',
    labels: [],
    help: 'Orders of the whole store that may still become valid.',
  },
  gatehouse_acme_upstream_orders: {
    type: 'gauge',
    labels: [],
    help: 'Orders of the whole store that wait for the CA behind their profile.',
  },
} as const satisfies MetricKinds;

export type AcmeMetrics = Metrics<typeof ACME_METRICS>;

export const createAcmeMetrics = (): AcmeMetrics => createMetrics(ACME_METRICS);

export function countRefusal(metrics: AcmeMetrics, { type, limit }: Refusal): void {
  metrics.count('gatehouse_acme_problems_total', { type });
  if (type === ('badNonce' satisfies AcmeProblemType)) metrics.count('gatehouse_acme_nonces_refused_total', {});
  if (limit !== undefined) metrics.count('gatehouse_acme_rate_limited_total', { limit });
}

/** An order has become valid. */
export function countIssued(metrics: AcmeMetrics, profile: string, issuer: string): void {
  metrics.count('gatehouse_acme_orders_total', { profile, result: 'valid' });
  metrics.count('gatehouse_acme_certificates_issued_total', { profile, issuer });
}

export async function readGauges(
  db: Db,
  validations: { readonly waiting: number; readonly underWay: number },
  now: number,
): Promise<Readings<typeof ACME_METRICS>> {
  const [open, upstream] = await Promise.all([countAllOpenOrders(db, now), countUpstreamOrders(db)]);
  return {
    gatehouse_acme_validations: [
      { labels: { state: 'waiting' }, value: validations.waiting },
      { labels: { state: 'under_way' }, value: validations.underWay },
    ],
    gatehouse_acme_open_orders: [{ labels: {}, value: open }],
    gatehouse_acme_upstream_orders: [{ labels: {}, value: upstream }],
  };
}
