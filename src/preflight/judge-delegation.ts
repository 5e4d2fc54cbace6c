import type { Finding, NameFacts } from './judge-name.ts';

/** Where `_acme-challenge` of a name leads, and who may write there. */
export interface DelegationFacts {
  readonly recordName: string;
  /** The end of its aliases; absent when it is not delegated. */
  readonly target?: string;
  /** Why nothing can ever be written where it leads, in words. */
  readonly dangling?: string;
  /** Why it could not be looked at, in words. */
  readonly problem?: string;
  readonly credential?: CredentialFacts;
}

export interface CredentialFacts {
  readonly id: string;
  readonly name: string;
  /** `old`: it was proved, and is proved again before it is used. */
  readonly validation: 'unproven' | 'valid' | 'old' | 'failed';
  readonly detail?: string;
  /** Whether the place is in a zone that it is for. */
  readonly covers: boolean;
}

/** `byDns`: nothing but DNS can show control of the name. */
export function judgeDelegation(facts: NameFacts, found: DelegationFacts, byDns: boolean): Finding[] {
  const { recordName, target, problem, dangling } = found;
  const check = 'delegation';
  if (dangling !== undefined)
    return [
      {
        check,
        outcome: byDns ? 'wrong' : 'advice',
        detail: `${recordName} is a CNAME to ${target}, and ${dangling}`,
        advice: `let ${recordName} lead to a zone that exists, or remove the CNAME`,
      },
    ];
  const way: Finding[] =
    problem !== undefined
      ? [{ check, outcome: 'advice', detail: `where ${recordName} leads could not be seen: ${problem}` }]
      : target === undefined
        ? []
        : [{ check, outcome: 'good', detail: `${recordName} leads to ${target} by CNAME` }];
  // With other ways left, one that nobody set up is no news.
  if (found.credential === undefined && !byDns) return way;
  return [...way, judgeCredential(facts, found, byDns)];
}

function judgeCredential(facts: NameFacts, found: DelegationFacts, byDns: boolean): Finding {
  const { recordName, target, credential } = found;
  const check = 'dns-credential';
  const worst = byDns ? 'wrong' : 'advice';
  const place = target ?? recordName;
  if (credential === undefined)
    return {
      check,
      outcome: worst,
      detail: `no DNS credential is for a zone of ${place}`,
      advice: facts.wildcard
        ? 'a wildcard is proved by DNS only: add a credential for the zone'
        : 'add a DNS credential for the zone, or use another challenge',
    };
  const { id, name, detail, covers, validation } = credential;
  if (!covers)
    return {
      check,
      outcome: worst,
      detail: `${name} is bound to other zones than the one of ${place}`,
      advice: 'choose a credential for that zone, or bind this one to it',
    };
  const outcomes: Record<typeof validation, Finding['outcome']> = {
    valid: 'good',
    old: 'good',
    unproven: 'advice',
    failed: worst,
  };
  const words: Record<typeof validation, string> = {
    valid: `${name} may write ${place}`,
    old: `${name} may write ${place}; its proof is older than a day, and is made again before an order`,
    unproven: `${name} is for ${place}, and was not proved yet`,
    failed: `${name} is for ${place}, and failed its proof: ${detail ?? 'no reason is known'}`,
  };
  return {
    check,
    outcome: outcomes[validation],
    detail: words[validation],
    ...(outcomes[validation] !== 'good' && { advice: `gatehouse dns-credentials validate ${id}` }),
  };
}
