import type { CertificateRow } from '../store/ca.ts';

/**
 * When to renew (RFC 9773 §4.2): a window of 2 % of the lifetime, after two thirds of it, moved within the next twelfth
 * by the serial number so that certificates made together are not renewed together. A revoked one: at once.
 */
export function planRenewalWindow(
  row: Pick<CertificateRow, 'serial' | 'not_before' | 'not_after' | 'revoked_at'>,
  now: number,
): { start: number; end: number } {
  // In the past, so that nobody waits; with a length, as RFC 9773 §4.2 demands.
  if (row.revoked_at !== null)
    return { start: Math.min(row.revoked_at, now) - 3_600_000, end: Math.min(row.revoked_at, now) };
  const lifetime = row.not_after - row.not_before;
  const shift = Number.parseInt(row.serial.slice(-4), 16) / 0x10000;
  const start = row.not_before + (lifetime * 2) / 3 + (lifetime / 12) * shift;
  return { start, end: start + lifetime / 50 };
}
