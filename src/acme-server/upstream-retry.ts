import { type AcmeProblemType, problemTypeOf } from '../acme/index.ts';
import type { Fault } from '../base/index.ts';

/** What a CA says of itself, and not of the order: it may pass. */
const PASSING: readonly AcmeProblemType[] = [
  'rateLimited',
  'serverInternal',
  'badNonce',
  'accountDoesNotExist',
  'orderNotReady',
];
const FIRST_MS = 5_000;
const LONGEST_MS = 300_000;

export type UpstreamPlan = { readonly kind: 'again'; readonly at: number } | { readonly kind: 'give up' };

/** Whether an order that an upstream CA did not fulfil is tried again, and when: never after the order's own end. */
export function planUpstreamRetry(
  { code, details: { retry } }: Fault,
  { attempts, expiresAt, now }: { readonly attempts: number; readonly expiresAt: number; readonly now: number },
): UpstreamPlan {
  const type = problemTypeOf(code);
  const isVerdict = type === undefined ? retry === 'never' : !PASSING.includes(type);
  if (isVerdict) return { kind: 'give up' };
  const backoff = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(attempts - 1, 10));
  const at = Math.max(now + backoff, typeof retry === 'object' ? retry.notBefore : 0);
  return at < expiresAt ? { kind: 'again', at } : { kind: 'give up' };
}
