import { Refusal } from '../refusal.ts';
import { txtOf } from './dns-01.ts';
import { lookUp } from './dns-view.ts';
import { parseIssueValue } from './issue-value.ts';
import type { ValidationTask, Validator } from './validator.ts';

/** draft-ietf-acme-dns-persist-01: a record that stays, and names this CA and the account. */
export const validateDnsPersist01: Validator = async (task, signal) => {
  const name = `_validation-persist.${task.identifier.value}`;
  const { records } = await lookUp(name, 'TXT', task.policy, signal);
  if (records.length === 0) throw new Refusal('dns', `there is no TXT record at ${name}`);
  const reasons = records.map((record) => whyNot(txtOf(record), task));
  if (reasons.includes(undefined)) return;
  throw new Refusal(
    'unauthorized',
    `no TXT record at ${name} is good: ${[...new Set(reasons)].slice(0, 5).join('; ')}`,
  );
};

/** Why the record gives the account nothing; undefined when it does. Unknown parameters are passed over. */
export function whyNot(
  text: string,
  { policy, accountUrl, wildcard, now }: Pick<ValidationTask, 'policy' | 'accountUrl' | 'wildcard' | 'now'>,
): string | undefined {
  const value = parseIssueValue(text);
  if (value === undefined) return 'one is not in the form "issuer; accounturi=…"';
  if (!policy.caa_identities.some((identity) => identity.toLowerCase() === value.issuer))
    return `one is for another issuer, not ${policy.caa_identities.join(' or ')}`;
  if (value.parameters.get('accounturi') !== accountUrl) return `one is for another account, not ${accountUrl}`;
  if (wildcard && value.parameters.get('policy')?.toLowerCase() !== 'wildcard')
    return 'one lacks policy=wildcard, which a wildcard needs';
  const until = value.parameters.get('persistuntil');
  if (until === undefined) return undefined;
  if (!/^\d{1,12}$/.test(until)) return 'one has a persistUntil that is no number of seconds';
  return Number(until) * 1000 < now ? 'one has expired (persistUntil)' : undefined;
}
