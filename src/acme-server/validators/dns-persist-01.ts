import { registeredDomain } from '../../x509/index.ts';
import { Refusal } from '../refusal.ts';
import { txtOf } from './dns-01.ts';
import { lookUp } from './dns-view.ts';
import { parseIssueValue } from './issue-value.ts';
import type { ValidationTask, Validator } from './validator.ts';

const MOST_PARENTS = 8;

/**
 * draft-ietf-acme-dns-persist-01: a record that stays, and names this CA and the account. One at a parent domain, down
 * to the registered one, is good for the names below it when it says policy=wildcard.
 */
export const validateDnsPersist01: Validator = async (task, signal) => {
  const reasons: string[] = [];
  for (const [above, domain] of domainsOf(task.identifier.value).entries()) {
    const name = `_validation-persist.${domain}`;
    const { records } = await lookUp(name, 'TXT', task.policy, signal);
    for (const record of records) {
      const reason = whyNot(txtOf(record), { ...task, covers: task.wildcard || above > 0 });
      if (reason === undefined) return;
      reasons.push(`${name}: ${reason}`);
    }
  }
  const own = `_validation-persist.${task.identifier.value}`;
  if (reasons.length === 0) throw new Refusal('dns', `there is no TXT record at ${own}, nor at a parent domain`);
  const told = [...new Set(reasons)].slice(0, 5).join('; ');
  throw new Refusal('unauthorized', `no TXT record at ${own} or a parent domain is good: ${told}`);
};

/** The name and its parents, down to the domain that was registered: what is above belongs to a registry. */
export function domainsOf(name: string): string[] {
  const registered = registeredDomain(name);
  const parents: string[] = [];
  for (let at = name; parents.length <= MOST_PARENTS; at = at.slice(at.indexOf('.') + 1)) {
    parents.push(at);
    if (at === registered || !at.endsWith(`.${registered}`)) break;
  }
  return parents;
}

/** Why the record gives the account nothing; undefined when it does. Unknown parameters are passed over. */
export function whyNot(
  text: string,
  {
    policy,
    accountUrl,
    covers,
    now,
  }: Pick<ValidationTask, 'policy' | 'accountUrl' | 'now'> & {
    /** Whether it must hold for more than its own name: a wildcard, or a name below. */
    readonly covers: boolean;
  },
): string | undefined {
  const value = parseIssueValue(text);
  if (value === undefined) return 'one is not in the form "issuer; accounturi=…"';
  if (!policy.caa_identities.some((identity) => identity.toLowerCase() === value.issuer))
    return `one is for another issuer, not ${policy.caa_identities.join(' or ')}`;
  if (value.parameters.get('accounturi') !== accountUrl) return `one is for another account, not ${accountUrl}`;
  if (covers && value.parameters.get('policy')?.toLowerCase() !== 'wildcard')
    return 'one lacks policy=wildcard, which wildcards and names below need';
  const until = value.parameters.get('persistuntil');
  if (until === undefined) return undefined;
  if (!/^\d{1,12}$/.test(until)) return 'one has a persistUntil that is no number of seconds';
  return Number(until) * 1000 < now ? 'one has expired (persistUntil)' : undefined;
}
