import { faultOf } from '../base/index.ts';
import { createCertificationRequest, generateKey } from '../x509/index.ts';
import type { Finding } from './judge-name.ts';

/** Orders once at an issuer, from its first word to the chain. */
export interface TrialIssuer {
  obtain(request: {
    readonly issuerId: string;
    readonly names: readonly string[];
    /** DER. */
    readonly csr: Uint8Array;
    readonly onStep: (step: { readonly kind: string; readonly words: string }) => void;
    readonly signal: AbortSignal;
  }): Promise<string>;
}

// Below the five minutes in which clients of our API wait for an answer.
const TRIAL_MS = 240_000;

/**
 * The whole issue at an issuer that is for trying: every step as it went, and at the end whether a certificate came.
 * Neither it nor its key is kept, so it can never be served.
 */
export async function tryIssue(issuer: TrialIssuer, name: string, issuerId: string): Promise<Finding[]> {
  const steps: Finding[] = [];
  const signal = AbortSignal.timeout(TRIAL_MS);
  const csr = createCertificationRequest([name], await generateKey('ec-p256'));
  const onStep = ({ kind, words }: { kind: string; words: string }) =>
    void steps.push({ check: kind, outcome: kind === 'problem' ? 'advice' : 'good', detail: words });
  try {
    await issuer.obtain({ issuerId, names: [name], csr, onStep, signal });
    const detail = `${issuerId} issued a certificate for ${name}; it was thrown away`;
    return [...steps, { check: 'staging', outcome: 'good', detail }];
  } catch (error) {
    const { message, details } = faultOf(error);
    const why = signal.aborted ? `no certificate within ${TRIAL_MS / 60_000} minutes` : message;
    const advice = details.advice ?? 'mend that, then try again: an order for production would fail alike';
    return [...steps, { check: 'staging', outcome: 'wrong', detail: `${issuerId}: ${why}`, advice }];
  }
}
