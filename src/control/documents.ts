import { domainToUnicode } from 'node:url';
import type { FaultDetails } from '../base/index.ts';
import type {
  App,
  AuditEvent,
  Certificate,
  CertificateEvent,
  CertificateVersion,
  Issuer,
  Quota,
  ServingFinding,
  Token,
} from '../contract/index.ts';
import { autoDomain } from '../domains/index.ts';
import type { AppRow } from '../store/apps.ts';
import type { AuditRow } from '../store/audit.ts';
import type { TokenRow } from '../store/tokens.ts';
import type * as ports from './ports/index.ts';

export const time = (ms: number): string => new Date(ms).toISOString();
export const timeOrNull = (ms: number | null | undefined): string | null =>
  ms === null || ms === undefined ? null : time(ms);

/** As people write a name: U-labels. */
export const unicodeName = (name: string): string =>
  name.startsWith('*.') ? `*.${domainToUnicode(name.slice(2))}` : domainToUnicode(name);

export function appDocument(row: AppRow, baseDomain: string | undefined): App {
  return {
    id: row.id,
    name: row.name,
    upstreams: JSON.parse(row.upstreams),
    auto_domain: baseDomain === undefined ? null : autoDomain(row.id, baseDomain),
    created_at: time(row.created_at),
    updated_at: time(row.updated_at),
  };
}

export function tokenDocument(row: TokenRow, belongsTo: string): Token {
  return {
    id: row.id,
    name: row.name,
    permissions: JSON.parse(row.permissions),
    apps: row.apps === null ? null : JSON.parse(row.apps),
    created_by: row.created_by,
    belongs_to: belongsTo,
    created_at: time(row.created_at),
    expires_at: timeOrNull(row.expires_at),
    last_used_at: timeOrNull(row.last_used_at),
    revoked_at: timeOrNull(row.revoked_at),
  };
}

export function auditDocument(row: AuditRow, nameOf: (actor: string) => string): AuditEvent {
  return { ...row, at: time(row.at), actor_name: nameOf(row.actor), facts: JSON.parse(row.facts) };
}

export const problemDocument = (problem: FaultDetails & { readonly at?: number }) => ({
  type: problem.code,
  detail: problem.detail,
  failed_party: problem.party,
  at: timeOrNull(problem.at),
});

export function versionDocument(version: ports.CertificateVersionView): CertificateVersion {
  return {
    id: version.id,
    issuer: version.issuer,
    staging: version.staging,
    issuer_name: version.issuerName,
    serial: version.serial,
    fingerprint_sha256: version.fingerprint,
    not_before: time(version.notBefore),
    not_after: time(version.notAfter),
    issued_at: time(version.issuedAt),
    revoked_at: timeOrNull(version.revokedAt),
    revocation_reason: version.revocationReason ?? null,
  };
}

export function certificateDocument(view: ports.CertificateView, now: number): Certificate {
  const { served } = view;
  return {
    id: view.id,
    names: [...view.names],
    status: view.status,
    issuers: [...view.issuers],
    challenge: view.challenge,
    key_type: view.keyType,
    dns_credential_id: view.dnsCredentialId ?? null,
    references: [...view.references],
    served: served === undefined ? null : versionDocument(served),
    days_left: served === undefined ? null : Math.floor(((served.notAfter - now) / 86_400_000) * 10) / 10,
    why: {
      summary: view.summary,
      problem: view.lastProblem === undefined ? null : problemDocument(view.lastProblem),
      attempts: view.attempts,
      next_attempt_at: timeOrNull(view.nextAttemptAt),
      advice: view.lastProblem?.advice ?? null,
    },
    created_at: time(view.createdAt),
    updated_at: time(view.updatedAt),
  };
}

export const findingDocument = ({ certificateId, since, ...rest }: ports.ServingFindingView): ServingFinding => ({
  ...rest,
  certificate_id: certificateId,
  since: time(since),
});

export function certificateEventDocument(event: ports.CertificateEvent): CertificateEvent {
  const { problem } = event;
  return {
    seq: event.seq,
    at: time(event.at),
    step: event.step,
    detail: event.detail,
    problem:
      problem === undefined
        ? null
        : { type: problem.code, detail: problem.detail, failed_party: problem.party, advice: problem.advice ?? null },
  };
}

export function issuerDocument(view: ports.IssuerView): Issuer {
  return {
    id: view.id,
    directory: view.directory,
    staging: view.staging,
    built_in: view.builtIn,
    contact: [...view.contact],
    profile: view.profile ?? null,
    preferred_chain: view.preferredChain ?? null,
    eab_key_id: view.eabKeyId ?? null,
    has_ca_certificate: view.hasCaCertificate,
    account_url: view.accountUrl ?? null,
    terms_url: view.termsUrl ?? null,
    terms_agreed_at: timeOrNull(view.termsAgreedAt),
    held_until: timeOrNull(view.heldUntil),
    held_because: view.heldBecause ?? null,
    quota: view.quota.map(quotaDocument),
    created_at: time(view.createdAt),
  };
}

export const quotaDocument = ({ resetsAt, ...rest }: ports.QuotaView): Quota => ({
  ...rest,
  resets_at: time(resetsAt),
});
