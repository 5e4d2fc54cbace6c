import type { ChallengeType, Identifier } from '../../acme/index.ts';
import { Refusal } from '../refusal.ts';
import { lookUp } from './dns-view.ts';
import { parseIssueValue } from './issue-value.ts';
import type { ValidationPolicy } from './validator.ts';

interface CaaRecord {
  readonly flags?: number;
  readonly tag: string;
  readonly value: string;
}

export interface CaaQuestion {
  /** Without `*.`. */
  readonly identifier: Identifier;
  readonly wildcard: boolean;
  readonly accountUrl: string;
  /** How control was, or is about to be, shown; undefined when the account is trusted. */
  readonly method?: ChallengeType;
  readonly policy: ValidationPolicy;
}

/** RFC 8659 §3: the closest name, upwards, that has CAA records decides. Throws `caa`. */
export async function requireCaa(question: CaaQuestion, signal: AbortSignal): Promise<void> {
  const { identifier, policy } = question;
  if (!policy.caa || identifier.type !== 'dns' || identifier.value.endsWith('.localhost')) return;
  const labels = identifier.value.split('.');
  for (let i = 0; i < labels.length; i++) {
    const name = labels.slice(i).join('.');
    const { records } = await lookUp(name, 'CAA', policy, signal);
    const found = records.flatMap((record) => (record.type === 'CAA' ? [record.data] : []));
    if (found.length === 0) continue;
    const why = judgeCaa(found, question);
    if (why === undefined) return;
    throw new Refusal('caa', `the CAA records of ${name} ${why}`, { identifier });
  }
}

const CRITICAL = 0x80;
const KNOWN = new Set(['issue', 'issuewild', 'iodef', 'issuemail', 'issuevmc', 'contactemail', 'contactphone']);

/** Why these records forbid it, in words that follow "the CAA records"; undefined when they allow it. Pure. */
export function judgeCaa(
  records: readonly CaaRecord[],
  { wildcard, accountUrl, method, policy }: Omit<CaaQuestion, 'identifier'>,
): string | undefined {
  const unknown = records.find(({ flags = 0, tag }) => (flags & CRITICAL) !== 0 && !KNOWN.has(tag.toLowerCase()));
  if (unknown !== undefined)
    return `have the critical property ${JSON.stringify(unknown.tag.slice(0, 40))}, which is not known here`;
  const tagged = (wanted: string) => records.filter(({ tag }) => tag.toLowerCase() === wanted);
  const wild = wildcard ? tagged('issuewild') : [];
  const relevant = wild.length > 0 ? wild : tagged('issue');
  // RFC 8659 §4.2: without issue properties there is no restriction (issuewild alone restricts wildcards only).
  if (relevant.length === 0) return undefined;
  const ours = relevant
    .map(({ value }) => parseIssueValue(value))
    .filter((value) => policy.caa_identities.some((identity) => identity.toLowerCase() === value?.issuer));
  if (ours.length === 0) return `allow other issuers only, not ${policy.caa_identities.join(' or ')}`;
  const bound = ours.some((value) => {
    // RFC 8657 §3, §4.
    const account = value?.parameters.get('accounturi');
    const methods = value?.parameters.get('validationmethods')?.split(',');
    const accountFits = account === undefined || account === accountUrl;
    return accountFits && (methods === undefined || (method !== undefined && methods.includes(method)));
  });
  return bound
    ? undefined
    : `allow this CA only for another account or validation method (here: ${accountUrl}, ${method ?? 'none'})`;
}
