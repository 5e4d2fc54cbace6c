/** The last answer of a CA about a version's renewal (RFC 9773 §4.2), and what we made of it. Times are ms since the epoch. */
export interface KnownRenewalInfo {
  /** Version that it is about. */
  readonly versionId: string;
  readonly start: number;
  readonly end: number;
  readonly explanationUrl?: string;
  readonly askAgainAt: number;
  /** The CA moved the window to an earlier time than it had said before. */
  readonly movedEarlier?: boolean;
  /** The moment inside the window that was drawn for us. */
  readonly renewAt: number;
}

export interface Validity {
  readonly notBefore: number;
  readonly notAfter: number;
}

/**
 * Whether a CA wants a certificate back before its time, which is what it does when it is about to revoke: the window ends
 * in the first half of the lifetime, or was moved to the past. Any other window that is over went by in an outage.
 */
export function isWantedBack(info: KnownRenewalInfo, validity: Validity, now: number): boolean {
  // An end of 0 stands for a CA that named no window.
  if (info.end === 0 || info.end > now) return false;
  return info.movedEarlier === true || info.end < validity.notBefore + lifetime(validity) / 2;
}

const lifetime = ({ notBefore, notAfter }: Validity) => Math.max(0, notAfter - notBefore);

/**
 * Without renewal information: with a third of the lifetime left, or up to a tenth of the lifetime earlier. The draw
 * makes that certificates issued together do not renew together, and a fraction fits six days as it fits two hundred.
 */
export function renewByFraction(validity: Validity, random: number): number {
  return Math.round(validity.notAfter - lifetime(validity) * (1 / 3 + random / 10));
}

/**
 * RFC 9773 §4.2: a moment drawn evenly from the window, kept as long as the window stays; a window in the past means
 * now. A window that leaves less than an eighth of the lifetime would leave no room for an outage, so we go earlier.
 */
export function renewByInfo(
  window: { readonly start: number; readonly end: number },
  validity: Validity,
  random: number,
  known?: KnownRenewalInfo,
): number {
  const latest = validity.notAfter - lifetime(validity) / 8;
  if (known !== undefined && known.start === window.start && known.end === window.end) return known.renewAt;
  return Math.round(Math.min(window.start + (window.end - window.start) * random, latest));
}
