import type { CertificateProblem, CertificateRow, CertificateStatus } from '../store/certificates.ts';
import type { KnownRenewalInfo } from './renewal-time.ts';

/** Everything that the next step of a certificate follows from. Times are ms since the epoch. */
export interface Facts {
  readonly kind: CertificateRow['kind'];
  readonly status: CertificateStatus;
  /** The version that is served. */
  readonly served?: ServedFacts;
  readonly problem?: CertificateProblem;
  readonly renewAt?: number;
  readonly renewReason?: string;
  readonly renewalInfo?: KnownRenewalInfo;
  readonly wanted?: 'renew' | 'now' | 'replace';
  /** Since when nothing refers to it. */
  readonly unreferencedAt?: number;
  /** Whether its issuers are for trying only. */
  readonly staging: boolean;
  /** A revoked version whose CA has not been told. */
  readonly untold?: string;
}

export interface ServedFacts {
  readonly id: string;
  readonly notBefore: number;
  readonly notAfter: number;
  readonly staging: boolean;
  /** Its CA can be asked about its renewal. */
  readonly asksRenewalInfo: boolean;
}

export interface Policy {
  /** How long a certificate that nothing refers to is kept. */
  readonly graceMs: number;
}

/** The one next step. `until` is when to look again if nothing happens before. */
export type Step =
  | { readonly do: 'issue'; readonly why: string; readonly renewal: boolean }
  | { readonly do: 'tell-ca'; readonly versionId: string }
  | { readonly do: 'ask-renewal-info' }
  | { readonly do: 'note-expiry' }
  | { readonly do: 'remove' }
  | { readonly do: 'wait'; readonly until?: number; readonly why: string };

/** Pure: what a certificate needs now. */
export function planStep(facts: Facts, policy: Policy, now: number): Step {
  const { served, problem } = facts;
  const retryAt = problem?.retryAt ?? 0;
  if (facts.untold !== undefined && retryAt <= now) return { do: 'tell-ca', versionId: facts.untold };
  if (served !== undefined && served.notAfter <= now && facts.status === 'valid') return { do: 'note-expiry' };
  if (facts.unreferencedAt !== undefined) {
    const removeAt = facts.unreferencedAt + policy.graceMs;
    if (facts.untold === undefined && removeAt <= now) return { do: 'remove' };
    return wait('nothing refers to it; it is not renewed', [removeAt, facts.untold && retryAt, expiry(facts, now)]);
  }
  if (facts.kind === 'imported') return wait('it was brought, so it is watched and not renewed', [expiry(facts, now)]);
  if (facts.status === 'revoked' && facts.wanted !== 'replace')
    return wait('it was revoked; a new one is got when somebody asks', [facts.untold && retryAt]);
  const why = reasonToIssue(facts, now);
  if (why !== undefined) {
    if (retryAt > now) return wait('the last attempt failed', [retryAt, expiry(facts, now)]);
    return { do: 'issue', why, renewal: served !== undefined };
  }
  const { renewalInfo } = facts;
  const askAt = served?.asksRenewalInfo
    ? renewalInfo?.versionId === served.id
      ? renewalInfo.askAgainAt
      : now
    : undefined;
  if (askAt !== undefined && askAt <= now) return { do: 'ask-renewal-info' };
  return wait('it is good', [facts.renewAt, askAt, expiry(facts, now)]);
}

/** Why a certificate is needed now, in words; undefined when none is. */
export function reasonToIssue(facts: Facts, now: number): string | undefined {
  const { served, wanted, renewAt } = facts;
  if (wanted === 'replace') return 'the revoked one is to be replaced';
  if (served === undefined) return 'there is none yet';
  if (wanted !== undefined) return 'somebody asked for it';
  if (served.staging && !facts.staging) return 'the one that is served is from a staging issuer and does not count';
  if (served.notAfter <= now) return 'the one that is served has expired';
  if (renewAt !== undefined && renewAt <= now) return facts.renewReason ?? 'its renewal is due';
  return undefined;
}

const expiry = ({ served, status }: Facts, now: number) =>
  served !== undefined && status === 'valid' && served.notAfter > now ? served.notAfter : undefined;

function wait(why: string, times: readonly (number | '' | undefined)[]): Step {
  const known = times.filter((time): time is number => typeof time === 'number');
  return { do: 'wait', why, ...(known.length > 0 && { until: Math.min(...known) }) };
}
