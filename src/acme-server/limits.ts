import ipaddr from 'ipaddr.js';
import { peek, spend } from '../store/acme-limits.ts';
import type { Db } from '../store/index.ts';
import type { ProfileSettings } from './profile.ts';
import { Refusal } from './refusal.ts';

type Limits = ProfileSettings['limits'];
type Rate = Limits['orders'];

/** Limits of which each request spends one: the beginning of the row's key, and what is limited in words. */
const SPENT = {
  orders: { key: 'orders', what: 'orders of this account' },
  accounts_per_address: { key: 'accounts', what: 'new accounts from this address' },
  key_changes: { key: 'key-changes', what: 'key changes of this account' },
  challenge_responses: { key: 'challenges', what: 'challenge responses of this account' },
} as const satisfies Partial<Record<keyof Limits, { key: string; what: string }>>;

/** Spends one of the limit for `who`, or throws `rateLimited` with the time to come again. */
export async function spendOrRefuse(
  tx: Db,
  limit: keyof typeof SPENT,
  who: string,
  limits: Limits,
  now: number,
): Promise<void> {
  const { count, per_seconds } = limits[limit];
  const { key, what } = SPENT[limit];
  const again = await spend(tx, `${key}:${who}`, { count, period: per_seconds * 1000 }, now);
  if (again !== undefined) throw rateLimited(limit, `${what}: at most ${count} in ${per_seconds} seconds`, again, now);
}

/** Refuses a name whose validations by this account failed too often lately. */
export async function requireNotFailing(
  db: Db,
  accountId: string,
  identifier: string,
  rate: Rate,
  now: number,
): Promise<void> {
  const { count, per_seconds } = rate;
  const again = await peek(db, failureKey(accountId, identifier), { count, period: per_seconds * 1000 }, now);
  if (again !== undefined)
    throw rateLimited(
      'failed_validations',
      `failed validations of ${identifier}: at most ${count} in ${per_seconds} seconds`,
      again,
      now,
    );
}

/** Counts one failed validation; what is beyond the limit is not counted further. */
export async function countFailure(
  tx: Db,
  accountId: string,
  identifier: string,
  rate: Rate,
  now: number,
): Promise<void> {
  await spend(tx, failureKey(accountId, identifier), { count: rate.count, period: rate.per_seconds * 1000 }, now);
}

const failureKey = (accountId: string, identifier: string): string => `failures:${accountId}:${identifier}`;

export function rateLimited(limit: keyof Limits, detail: string, again: number, now: number): Refusal {
  const seconds = Math.max(1, Math.ceil((again - now) / 1000));
  return new Refusal('rateLimited', `too many ${detail}; come again in ${seconds} s`, {
    limit,
    notBefore: again,
    headers: { 'Retry-After': String(seconds) },
  });
}

/** An IPv4 address, or the /64 of an IPv6 one, since one host has all of that. */
export function addressBucket(remote: string | undefined): string {
  if (remote === undefined || !ipaddr.isValid(remote)) return 'unknown';
  const address = ipaddr.process(remote);
  if (address.kind() === 'ipv4') return address.toString();
  return `${Buffer.from(address.toByteArray().slice(0, 8)).toString('hex')}/64`;
}
