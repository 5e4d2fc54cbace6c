import { createHash } from 'node:crypto';

/** The three challenges that are answered by a TXT record. */
export type DnsChallengeType = 'dns-01' | 'dns-account-01' | 'dns-persist-01';

/**
 * The name at which a CA looks for a domain's TXT record. `domain` may be a wildcard: its star is not part of the name.
 * `accountUrl` is needed by dns-account-01.
 */
export function challengeRecordName(type: DnsChallengeType, domain: string, accountUrl = ''): string {
  const bare = domain.replace(/^\*\./, '');
  const names: Record<DnsChallengeType, () => string> = {
    // RFC 8555 §8.4.
    'dns-01': () => `_acme-challenge.${bare}`,
    // draft-ietf-acme-dns-account-label §3.1: first 10 octets of SHA-256 of the account URL, base 32, lower case.
    'dns-account-01': () => `_${accountLabel(accountUrl)}._acme-challenge.${bare}`,
    // draft-ietf-acme-dns-persist §3.
    'dns-persist-01': () => `_validation-persist.${bare}`,
  };
  return names[type]();
}

const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567';

function accountLabel(accountUrl: string): string {
  const digest = createHash('sha256').update(accountUrl).digest().subarray(0, 10);
  let bits = 0n;
  for (const byte of digest) bits = (bits << 8n) | BigInt(byte);
  let label = '';
  for (let i = 15; i >= 0; i--) label += BASE32[Number((bits >> BigInt(i * 5)) & 31n)];
  return label;
}
