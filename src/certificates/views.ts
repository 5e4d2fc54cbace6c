import { inUtc } from '../base/index.ts';
import type { CertificateEventRow } from '../store/certificate-events.ts';
import { type CertificateVersionRow, versionById } from '../store/certificate-versions.ts';
import { type CertificateProblem, type CertificateRow, referencesOf } from '../store/certificates.ts';
import type { Db } from '../store/index.ts';
import { productionWanted } from '../store/production-wanted.ts';
import type { CertificateEventView, CertificateVersionView, CertificateView } from './face.ts';
import { issuersOf, namesOf, problemOfRow } from './facts.ts';

export async function viewCertificate(db: Db, row: CertificateRow, now: number): Promise<CertificateView> {
  const [served, references] = await Promise.all([
    row.served_version_id === null ? undefined : versionById(db, row.served_version_id),
    referencesOf(db, row.id),
  ]);
  const problem = problemOfRow(row);
  const outshoneFor =
    served?.staging === 1 ? (await productionWanted(db, [{ id: row.id, names: namesOf(row) }])).get(row.id) : undefined;
  return {
    id: row.id,
    kind: row.kind,
    names: namesOf(row),
    status: row.status,
    issuers: issuersOf(row),
    challenge: row.challenge,
    keyType: row.key_type,
    ...(row.dns_credential_id !== null && { dnsCredentialId: row.dns_credential_id }),
    ...(row.profile !== null && { profile: row.profile }),
    references,
    ...(served !== undefined && { served: viewVersion(served) }),
    ...(row.renew_at !== null && { renewAt: row.renew_at }),
    ...(row.renew_reason !== null && { renewReason: row.renew_reason }),
    ...(nextAttempt(row, problem, now) !== undefined && { nextAttemptAt: nextAttempt(row, problem, now) }),
    attempts: row.attempts,
    ...(problem !== undefined && { lastProblem: viewProblem(problem) }),
    summary: summarize(row, served, problem, outshoneFor, now),
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

/** When it is next tried to get one: the look at renewal information in between is not of interest. */
function nextAttempt(row: CertificateRow, problem: CertificateProblem | undefined, now: number): number | undefined {
  if (row.unreferenced_at !== null || row.kind === 'imported') return undefined;
  if (row.status === 'revoked' && row.wanted === null) return undefined;
  return problem !== undefined ? problem.retryAt : (row.renew_at ?? row.next_attempt_at ?? now);
}

function viewProblem(problem: CertificateProblem): NonNullable<CertificateView['lastProblem']> {
  const { class: failure, code, detail, party, advice, at, retryAt, subproblems } = problem;
  const retry = { notBefore: retryAt };
  return {
    class: failure,
    code,
    detail,
    party,
    retry,
    at,
    ...(advice !== undefined && { advice }),
    ...(subproblems !== undefined && {
      problems: subproblems.map((sub) => ({
        code: sub.code,
        detail: sub.detail,
        party,
        retry,
        ...(sub.name !== undefined && { field: sub.name }),
      })),
    }),
  };
}

export function viewVersion(version: CertificateVersionRow): CertificateVersionView {
  return {
    id: version.id,
    issuer: version.issuer_id ?? 'imported',
    staging: version.staging === 1,
    issuerName: version.issuer_name,
    serial: version.serial,
    fingerprint: version.fingerprint,
    notBefore: version.not_before,
    notAfter: version.not_after,
    issuedAt: version.issued_at,
    ...(version.revoked_at !== null && { revokedAt: version.revoked_at }),
    ...(version.revocation_reason !== null && { revocationReason: version.revocation_reason }),
  };
}

export function viewEvent(event: CertificateEventRow): CertificateEventView {
  const facts = JSON.parse(event.facts) as { problem?: CertificateProblem };
  return {
    seq: event.seq,
    at: event.at,
    step: event.kind,
    detail: event.words,
    ...(facts.problem !== undefined && { problem: viewProblem(facts.problem) }),
  };
}

/** Where it stands and what comes next. */
function summarize(
  row: CertificateRow,
  served: CertificateVersionRow | undefined,
  problem: CertificateProblem | undefined,
  outshoneFor: string | undefined,
  now: number,
): string {
  const parts: string[] = [];
  if (row.status === 'revoked')
    parts.push(
      'Revoked and not served. Nothing replaces it until somebody asks: "renew" gets another, with a new key.',
    );
  else if (served === undefined) parts.push('There is none yet.');
  else if (served.not_after <= now)
    parts.push(`Expired on ${day(served.not_after)}, and served on until there is another.`);
  else if (outshoneFor !== undefined)
    parts.push(
      `Not served, since another that is no trial is wanted for ${outshoneFor}; good until ${day(served.not_after)}.`,
    );
  else parts.push(`Served, good until ${day(served.not_after)}.`);
  if (served?.staging === 1) parts.push('It is from a staging issuer: browsers do not trust it.');
  if (row.unreferenced_at !== null) parts.push('Nothing refers to it, so it is not renewed.');
  else if (problem !== undefined && row.kind === 'imported')
    parts.push(`Its files were changed and are not used: ${problem.detail}.`);
  else if (problem !== undefined)
    parts.push(
      `The last attempt failed (${problem.class}): ${problem.detail}. It is tried again at ${inUtc(problem.retryAt)}.`,
    );
  else if (row.status === 'issuing' || row.status === 'renewing') parts.push('A new one is being got now.');
  else if (row.kind === 'imported') parts.push('It was brought, so it is not renewed by itself.');
  else if (row.renew_at !== null && served !== undefined)
    parts.push(`Renewed on ${day(row.renew_at)}: ${row.renew_reason}.`);
  else if (row.status === 'pending') parts.push('It is about to be ordered.');
  return parts.join(' ');
}

const day = (time: number): string => new Date(time).toISOString().slice(0, 10);
