/**
 * When a `Retry-After` header says to come back, in ms since the epoch (RFC 9110 §10.2.3: seconds or a date); undefined
 * when it is absent or says nothing sensible. At most `most` ms from now, since a wrong header must not stop us for a year.
 */
export function retryAfter(
  header: string | string[] | undefined,
  now: number,
  most = 7 * 24 * 3_600_000,
): number | undefined {
  const text = Array.isArray(header) ? header[0] : header;
  if (text === undefined) return undefined;
  const at = /^\s*\d{1,9}\s*$/.test(text) ? now + Number(text) * 1000 : Date.parse(text);
  return Number.isNaN(at) ? undefined : Math.min(Math.max(at, now), now + most);
}
