import type { RenewalInfoObject } from '../acme/index.ts';
import { type Clock, Fault } from '../base/index.ts';
import { parseJson } from './problem-fault.ts';
import type { Requests } from './request.ts';
import { retryAfter } from './retry-after.ts';

/** What a CA says about the renewal of one certificate (RFC 9773 §4.2). Times are ms since the epoch. */
export interface RenewalInfo {
  readonly start: number;
  readonly end: number;
  readonly explanationUrl?: string;
  /** When to ask again. */
  readonly askAgainAt: number;
}

// RFC 9773 §4.3.2: without a sensible Retry-After, six hours; never more often than a minute, never less than a day.
const SIX_HOURS = 6 * 3_600_000;
const LEAST = 60_000;
const MOST = 24 * 3_600_000;

/** Undefined where the CA does not offer renewal information. */
export async function renewalInfo(
  requests: Requests,
  certificateId: string,
  clock: Clock,
  signal?: AbortSignal,
): Promise<RenewalInfo | undefined> {
  const directory = await requests.directory(signal);
  if (directory.renewalInfo === undefined) return undefined;
  const response = await requests.get(`${directory.renewalInfo.replace(/\/$/, '')}/${certificateId}`, signal);
  const { suggestedWindow, explanationURL } = (parseJson(response.body) ?? {}) as Partial<RenewalInfoObject>;
  const start = Date.parse(suggestedWindow?.start ?? '');
  const end = Date.parse(suggestedWindow?.end ?? '');
  // RFC 9773 §4.2: a window that ends before it starts is as good as none.
  if (!(end > start))
    throw new Fault({
      code: 'renewal_info_unusable',
      detail: "the CA's renewal window does not end after it starts",
      party: 'ca',
      retry: 'backoff',
    });
  const now = clock.now();
  const asked = retryAfter(response.headers['retry-after'], now) ?? now + SIX_HOURS;
  return {
    start,
    end,
    ...(typeof explanationURL === 'string' && { explanationUrl: explanationURL.slice(0, 1000) }),
    askAgainAt: Math.min(Math.max(asked, now + LEAST), now + MOST),
  };
}
