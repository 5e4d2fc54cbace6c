import { Fault } from '../../base/index.ts';

/** What a record of draft-ietf-acme-dns-persist says: this account at this CA may have certificates for the name. */
export interface PersistentGrant {
  /** A domain by which the CA is meant, as in CAA. */
  readonly issuer: string;
  readonly accountUrl: string;
  /** `policy=wildcard`: good for wildcards and for names below, too. */
  readonly wildcard: boolean;
  /** Seconds since the epoch. */
  readonly until: number;
}

export interface WantedGrant {
  /** Any of these names means the CA. */
  readonly issuers: readonly string[];
  readonly accountUrl: string;
  readonly wildcard: boolean;
}

const DAY_MS = 24 * 3600_000;
const LIFE_MS = 365 * DAY_MS;
const RENEWED_BEFORE_END_MS = LIFE_MS / 3;
// A TXT record's character string.
const LONGEST = 255;
const DOMAIN = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/;
const URL_CHARACTERS = /^https:\/\/[\x21-\x3a\x3c-\x7e]+$/;
const WRITTEN = /^([^;\s]+); accounturi=([^;\s]+)(; policy=wildcard)?; persistUntil=(\d+)$/;

/** The grant that stays good for the wish, or the one to publish in place of those that are held. */
export function planGrant<G extends PersistentGrant>(
  held: readonly G[],
  wanted: WantedGrant,
  now: number,
): { readonly keep: G } | { readonly publish: PersistentGrant } {
  const keep = held.find(
    ({ issuer, accountUrl, wildcard, until }) =>
      wanted.issuers.includes(issuer) &&
      accountUrl === wanted.accountUrl &&
      (wildcard || !wanted.wildcard) &&
      until * 1000 - now > RENEWED_BEFORE_END_MS,
  );
  if (keep !== undefined) return { keep };
  const { accountUrl, wildcard } = wanted;
  // Whole days, so that two processes at once write one value and not two.
  const until = (Math.floor((now + LIFE_MS) / DAY_MS) * DAY_MS) / 1000;
  return { publish: { issuer: usableIssuer(wanted.issuers), accountUrl, wildcard, until } };
}

/** The names come from the CA: nothing that is no name may get into a record. */
function usableIssuer(issuers: readonly string[]): string {
  const issuer = issuers.find((name) => DOMAIN.test(name));
  if (issuer !== undefined) return issuer;
  throw new Fault({
    code: 'ca_answer_unexpected',
    detail: 'the CA offers dns-persist-01 and names no issuer-domain-names',
    party: 'ca',
    retry: 'backoff',
  });
}

export function grantValue({ issuer, accountUrl, wildcard, until }: PersistentGrant): string {
  const value = `${issuer}; accounturi=${accountUrl}${wildcard ? '; policy=wildcard' : ''}; persistUntil=${until}`;
  if (URL_CHARACTERS.test(accountUrl) && value.length <= LONGEST) return value;
  throw new Fault({
    code: 'ca_answer_unexpected',
    detail: `the account's URL cannot be written into a dns-persist-01 record of ${LONGEST} characters`,
    party: 'ca',
    retry: 'backoff',
    advice: 'use dns-01 for this issuer',
  });
}

/** Reads what `grantValue` wrote. */
export function parseGrantValue(value: string): PersistentGrant | undefined {
  const [, issuer, accountUrl, policy, until] = WRITTEN.exec(value) ?? [];
  if (issuer === undefined || accountUrl === undefined) return undefined;
  return { issuer, accountUrl, wildcard: policy !== undefined, until: Number(until) };
}
