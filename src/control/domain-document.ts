import { inUtc } from '../base/index.ts';
import type { Certificate, Domain, TLS_STATUSES } from '../contract/index.ts';
import { type DomainSettings, expectationOf, type ViewAnswer } from '../domains/index.ts';
import type { DomainFilter, DomainRow } from '../store/domains.ts';
import { clusterCertificateDocument, delegatedOf, whyDelegated } from './delegated-document.ts';
import { certificateDocument, time, timeOrNull, unicodeName } from './documents.ts';
import type { CertificateView } from './ports/index.ts';
import { troubleshooting } from './troubleshooting.ts';

export type TlsStatus = (typeof TLS_STATUSES)[number];

/** SPEC's vocabulary: a good certificate that is being replaced is `renewing`, however its replacement goes. */
export function tlsStatus(certificate: CertificateView | undefined): TlsStatus {
  if (certificate === undefined) return 'pending';
  const served = certificate.served !== undefined;
  const words: Record<CertificateView['status'], TlsStatus> = {
    pending: served ? 'renewing' : 'pending',
    issuing: served ? 'renewing' : 'pending',
    valid: 'issued',
    renewing: served ? 'renewing' : 'pending',
    failed: served ? 'renewing' : 'failed',
    revoked: 'failed',
    expired: 'failed',
  };
  return words[certificate.status];
}

/** The same as a filter of lists. */
const STATES: Record<TlsStatus, NonNullable<DomainFilter['certificate']>> = {
  issued: { states: [{ statuses: ['valid'] }] },
  renewing: { states: [{ statuses: ['pending', 'issuing', 'renewing', 'failed'], served: true }] },
  pending: { states: [{ statuses: ['pending', 'issuing', 'renewing'], served: false }], none: true },
  failed: { states: [{ statuses: ['failed'], served: false }, { statuses: ['revoked', 'expired'] }] },
};

export const tlsStatusFilter = (status: TlsStatus, settings: DomainSettings): DomainFilter =>
  settings.delegated === true ? { delegated: { status, none: status === 'pending' } } : { certificate: STATES[status] };

interface Report {
  readonly summary: string;
  readonly cdn?: string;
  readonly answers: readonly ViewAnswer[];
  readonly caa: { readonly records: readonly string[]; readonly allows?: boolean; readonly detail?: string };
  readonly splitHorizon?: string;
  readonly dnssec?: 'broken';
}

export function domainDocument(
  row: DomainRow,
  app: { id: string; name: string; proof_token: string },
  view: CertificateView | undefined,
  settings: DomainSettings,
  now: number,
): Domain {
  const certificate = view === undefined ? null : certificateDocument(view, now);
  const delegated = settings.delegated === true ? delegatedOf(row) : undefined;
  const status = delegated?.status ?? tlsStatus(view);
  const dns = dnsPart(row, app.proof_token, settings);
  const document = {
    id: row.id,
    domain: row.name,
    unicode: unicodeName(row.name),
    app: { id: app.id, name: app.name },
    kind: row.kind,
    tls_status: status,
    dns_configured: row.dns_state === 'configured' || row.dns_state === 'local',
    dns,
    certificate,
    cluster_certificate: clusterCertificateDocument(delegated),
    claim: {
      state:
        row.lapsed_at !== null
          ? ('lapsed' as const)
          : row.proved_at !== null
            ? ('proved' as const)
            : ('unproved' as const),
      proof: row.proof,
      proved_at: timeOrNull(row.proved_at),
      lapses_at: timeOrNull(row.lapses_at),
    },
    routed: row.routed === 1 && row.lapsed_at === null,
    redirect_to: row.redirect_to,
    on_demand: row.on_demand === 1,
    dns_credential_id: row.dns_credential_id,
    why: delegated === undefined ? why(row, status, dns.summary, certificate) : whyDelegated(delegated),
    created_at: time(row.created_at),
    updated_at: time(row.updated_at),
  };
  return { ...document, troubleshooting: troubleshooting(document, now) };
}

function dnsPart(row: DomainRow, proofToken: string, settings: DomainSettings): Domain['dns'] {
  const report = row.dns_report === null ? undefined : (JSON.parse(row.dns_report) as Report);
  const first = row.dns_state === 'local' ? 'names under localhost are loopback and need no DNS' : 'not looked at yet';
  return {
    state: row.dns_state,
    summary: report?.summary ?? first,
    expected: expectationOf(row, proofToken, settings).map((record) => ({ ...record })),
    answers: (report?.answers ?? []).map((answer) => ({
      view: answer.view,
      server: answer.server,
      addresses: [...answer.addresses],
      cname: [...answer.cname],
      problem: answer.problem ?? null,
    })),
    cdn: report?.cdn ?? null,
    caa: {
      records: [...(report?.caa.records ?? [])],
      allows: report?.caa.allows ?? null,
      detail: report?.caa.detail ?? null,
    },
    split_horizon: report?.splitHorizon ?? null,
    dnssec: report?.dnssec ?? null,
    looked_at: timeOrNull(row.looked_at),
    next_look_at: timeOrNull(row.next_look_at),
  };
}

function why(row: DomainRow, status: TlsStatus, dnsSummary: string, certificate: Certificate | null): Domain['why'] {
  if (certificate !== null) return certificate.why;
  const next = timeOrNull(row.next_look_at);
  const blank = { problem: null, attempts: row.looks, next_attempt_at: next };
  if (row.lapsed_at !== null)
    return {
      ...blank,
      summary: `The claim lapsed at ${inUtc(row.lapsed_at)}, because nothing proved it in seven days. Anybody may claim the name.`,
      advice: 'set the record under dns.expected, then add the domain again',
    };
  if (row.on_demand === 1 && row.demanded_at === null)
    return {
      ...blank,
      next_attempt_at: null,
      summary: `Its certificate is asked for when the first visitor comes.${row.demand_problem === null ? '' : ` The last one was sent away: ${row.demand_problem}.`}`,
      advice: 'open it in a browser, or POST …/verify to get the certificate now',
    };
  return {
    ...blank,
    summary: `${status === 'pending' ? 'Waiting for DNS' : 'No certificate'}: ${dnsSummary}.${next === null ? '' : ` DNS is looked at again at ${inUtc(Date.parse(next))}, and everything else follows by itself.`}`,
    advice: 'set one of the expected records (dns.expected), then have it checked again at once (POST …/verify)',
  };
}
