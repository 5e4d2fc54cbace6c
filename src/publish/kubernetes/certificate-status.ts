import type { KubeObject } from './objects.ts';

/** SPEC's words for a domain. */
export type TlsStatus = 'issued' | 'failed' | 'pending' | 'renewing';

/** What cert-manager says of one certificate, in our words. */
export interface ClusterCertificate {
  readonly status: TlsStatus;
  /** Of the condition that decides, as cert-manager gives it: `DoesNotExist`, `Failed`, … */
  readonly reason?: string;
  readonly detail?: string;
  /** From the requests, orders and challenges under it: which of them says what. The nearest to the cause last. */
  readonly problems: readonly { readonly kind: string; readonly name: string; readonly detail: string }[];
  /** Milliseconds since the epoch. */
  readonly notAfter?: number;
  readonly renewAt?: number;
  readonly failedAttempts: number;
}

interface Condition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason?: string;
  readonly message?: string;
}

interface CertificateStatus {
  readonly conditions?: readonly Condition[];
  readonly notAfter?: string;
  readonly renewalTime?: string;
  readonly lastFailureTime?: string;
  readonly failedIssuanceAttempts?: number;
}

/**
 * `Ready=True` is `issued`, and `renewing` while a new one is got; `Ready=False` is `failed`, but `pending` while
 * `Issuing=True` and nothing failed yet; no condition is `pending`. `under` are the requests, orders and challenges that
 * came of the certificate.
 */
export function parseCertificateStatus(certificate: KubeObject, under: readonly KubeObject[] = []): ClusterCertificate {
  const status = (certificate.status ?? {}) as CertificateStatus;
  const condition = (type: string) => status.conditions?.find((one) => one.type === type);
  const ready = condition('Ready');
  const issuing = condition('Issuing');
  const failedAttempts = status.failedIssuanceAttempts ?? 0;
  const failedBefore = failedAttempts > 0 || status.lastFailureTime !== undefined;
  const decides = issuing?.status === 'False' && issuing.reason === 'Failed' ? issuing : (ready ?? issuing);
  const word = (): TlsStatus => {
    if (ready?.status === 'True') return issuing?.status === 'True' ? 'renewing' : 'issued';
    if (ready?.status !== 'False') return 'pending';
    return issuing?.status === 'True' && !failedBefore ? 'pending' : 'failed';
  };
  const notAfter = milliseconds(status.notAfter);
  const renewAt = milliseconds(status.renewalTime);
  return {
    status: word(),
    ...(decides?.reason !== undefined && { reason: decides.reason }),
    ...(decides?.message !== undefined && { detail: decides.message }),
    problems: under.flatMap(problemOf),
    ...(notAfter !== undefined && { notAfter }),
    ...(renewAt !== undefined && { renewAt }),
    failedAttempts,
  };
}

const milliseconds = (text: string | undefined): number | undefined => {
  const value = text === undefined ? Number.NaN : Date.parse(text);
  return Number.isNaN(value) ? undefined : value;
};

/** Requests tell by condition; orders and challenges by a state and a reason. */
function problemOf({ kind, metadata: { name }, status }: KubeObject): ClusterCertificate['problems'] {
  const {
    conditions = [],
    state,
    reason,
  } = (status ?? {}) as { conditions?: Condition[]; state?: string; reason?: string };
  if (kind === 'CertificateRequest') {
    const bad = conditions.find(
      ({ type, status, reason }) =>
        (type === 'Ready' && status === 'False' && reason === 'Failed') ||
        ((type === 'InvalidRequest' || type === 'Denied') && status === 'True'),
    );
    return bad?.message === undefined ? [] : [{ kind, name, detail: bad.message }];
  }
  const failed = state === 'invalid' || state === 'errored' || state === 'expired';
  // A challenge that still waits says in its reason what its self check misses.
  const waits = kind === 'Challenge' && (state === 'pending' || state === 'processing' || state === undefined);
  return reason !== undefined && reason !== '' && (failed || waits) ? [{ kind, name, detail: reason }] : [];
}
