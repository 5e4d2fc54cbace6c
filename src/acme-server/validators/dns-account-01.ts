import { createHash } from 'node:crypto';
import { requireTxt } from './dns-01.ts';
import type { Validator } from './validator.ts';

const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567';

/** draft-ietf-acme-dns-account-label: as dns-01, at a name of the account's own, so that several CAs and accounts can be delegated to at once. */
export const validateDnsAccount01: Validator = (task, signal) =>
  requireTxt(`${accountLabel(task.accountUrl)}._acme-challenge.${task.identifier.value}`, task, signal);

/** `_` and the first ten bytes of SHA-256 of the account URL, in lower-case base32. */
export function accountLabel(accountUrl: string): string {
  const digest = createHash('sha256').update(accountUrl).digest().subarray(0, 10);
  let bits = 0n;
  for (const byte of digest) bits = (bits << 8n) | BigInt(byte);
  let text = '';
  for (let shift = 75n; shift >= 0n; shift -= 5n) text += BASE32[Number((bits >> shift) & 31n)];
  return `_${text}`;
}
