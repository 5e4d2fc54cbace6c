import { problemTypeOf } from '../acme/index.ts';
import type { Domain } from '../contract/index.ts';
import type { DelegatedCertificate } from '../domains/index.ts';
import type { DomainRow } from '../store/domains.ts';
import { timeOrNull } from './documents.ts';

export const delegatedOf = (row: DomainRow): DelegatedCertificate | undefined =>
  row.delegated === null ? undefined : (JSON.parse(row.delegated) as DelegatedCertificate);

export const clusterCertificateDocument = (
  delegated: DelegatedCertificate | undefined,
): Domain['cluster_certificate'] =>
  delegated === undefined
    ? null
    : {
        name: delegated.name,
        namespace: delegated.namespace,
        reason: delegated.reason ?? null,
        detail: delegated.detail ?? null,
        problems: delegated.problems.map((problem) => ({ ...problem })),
        not_after: timeOrNull(delegated.notAfter),
        renews_at: timeOrNull(delegated.renewAt),
        failed_attempts: delegated.failedAttempts,
      };

const WORDS: Record<DelegatedCertificate['status'], string> = {
  issued: 'cert-manager got its certificate',
  renewing: 'cert-manager is replacing its certificate; the old one is served until then',
  pending: 'cert-manager is getting its certificate',
  failed: 'cert-manager could not get its certificate',
};

/** Why it stands where it stands, from the cluster's own words. */
export function whyDelegated(delegated: DelegatedCertificate): Domain['why'] {
  const { name, namespace, status, reason, detail, problems, renewAt, failedAttempts } = delegated;
  const cause =
    status === 'issued' ? undefined : (problems.at(-1)?.detail ?? (status === 'failed' ? detail : undefined));
  return {
    summary: `${WORDS[status]}${cause === undefined ? '' : `: ${cause.replace(/\.$/, '')}`}.`,
    problem:
      cause === undefined
        ? null
        : {
            type: acmeType(cause) ?? `cert-manager:${reason ?? 'NotReady'}`,
            detail: cause,
            failed_party: 'cluster',
            at: null,
          },
    attempts: failedAttempts,
    next_attempt_at: status === 'issued' ? timeOrNull(renewAt) : null,
    advice:
      status === 'failed'
        ? `see kubectl describe certificate -n ${namespace} ${name}; mend the cause, then verify, which lets cert-manager begin anew`
        : null,
  };
}

/** cert-manager passes the authority's problem on as text. */
function acmeType(text: string): string | undefined {
  const urn = /urn:ietf:params:acme:error:\w+/.exec(text)?.[0];
  return urn === undefined || problemTypeOf(urn) === undefined ? undefined : urn;
}
