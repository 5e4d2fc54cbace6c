import type { Call } from './call.ts';
import type { ProfileSettings } from './profile.ts';
import { Refusal } from './refusal.ts';

type Lifetimes = Pick<ProfileSettings, 'max_ttl_seconds' | 'default_ttl_seconds' | 'beyond_ca'>;

/** What an order asked for; milliseconds since the epoch. */
export interface Validity {
  readonly notBefore?: number;
  readonly notAfter?: number;
}

/** When the certificate by which the profile issues ends; another CA looks after its own. */
export const caEnd = ({ services: { ca }, profile: { settings } }: Pick<Call, 'services' | 'profile'>): number =>
  settings.issuer === undefined ? (ca.endsAt?.() ?? Number.POSITIVE_INFINITY) : Number.POSITIVE_INFINITY;

/** Reads `notBefore` and `notAfter` of a new order. What cannot be fulfilled as asked is refused (RFC 8555 §7.4). */
export function requestedValidity(
  { notBefore, notAfter }: Record<string, unknown>,
  settings: Lifetimes,
  end: number,
  now: number,
): Validity {
  const from = parseTime(notBefore, 'notBefore');
  const until = parseTime(notAfter, 'notAfter');
  const longest = settings.max_ttl_seconds * 1000;
  if (from !== undefined && (from < now - 3_600_000 || from > now + longest))
    throw new Refusal('malformed', 'notBefore is more than an hour ago, or later than the longest lifetime');
  if (until !== undefined && until <= (from ?? now))
    throw new Refusal('malformed', 'notAfter is not after the beginning');
  if (until !== undefined && until > (from ?? now) + longest)
    throw new Refusal('malformed', `notAfter is later than this profile allows: ${settings.max_ttl_seconds} seconds`);
  if ((until ?? from ?? 0) > end)
    throw new Refusal('malformed', `that is later than the end of this CA's own certificate, ${rfc3339(end)}`);
  const validity = { notBefore: from, notAfter: until };
  endOf(validity, settings, end, now);
  return validity;
}

/** When a certificate ends that is issued now: as asked for, or usual. */
export function endOf({ notBefore, notAfter }: Validity, settings: Lifetimes, end: number, now: number): number {
  const usual = (settings.default_ttl_seconds ?? settings.max_ttl_seconds) * 1000;
  const wanted = notAfter ?? Math.max(notBefore ?? now, now) + usual;
  if (wanted <= end) return wanted;
  if (notAfter === undefined && settings.beyond_ca === 'clip') return end;
  const what =
    notAfter === undefined ? `certificates of this profile last ${usual / 1000} seconds` : 'notAfter was accepted';
  throw new Refusal(
    'serverInternal',
    `${what}, and this CA's own certificate ends before, at ${rfc3339(end)}; its operator must replace that first`,
    { status: 503, headers: { 'Retry-After': '3600' } },
  );
}

const TIME = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?)(Z|[+-]\d\d:\d\d)$/;

function parseTime(text: unknown, field: string): number | undefined {
  // The zero time of Go, which step sends for "none".
  if (text === undefined || text === '' || text === '0001-01-01T00:00:00Z') return undefined;
  const [, local, zone] = (typeof text === 'string' && TIME.exec(text)) || [];
  const ms = Date.parse(`${local}${zone}`);
  // A 30 February would be taken for a day in March.
  if (Number.isNaN(ms) || !rfc3339(Date.parse(`${local}Z`)).startsWith(local!.slice(0, 19)))
    throw new Refusal('malformed', `${field} is no time of RFC 3339`);
  return ms;
}

const rfc3339 = (ms: number): string => new Date(ms).toISOString();
