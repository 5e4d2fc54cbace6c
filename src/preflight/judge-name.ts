import { isSpecialUse, judgeCaa, type NameLook, SPLIT_HORIZON_ADVICE } from '../dns/index.ts';
import type { CaIdentity } from './ca-identity.ts';

/** One thing that was looked at. `wrong` alone keeps an order from being made. */
export interface Finding {
  readonly check: string;
  readonly outcome: 'good' | 'advice' | 'wrong';
  readonly detail: string;
  readonly advice?: string;
}

/** Where `_acme-challenge` of a name leads, and who may write there. */
export interface DelegationFacts {
  readonly recordName: string;
  /** The end of its aliases; absent when it is not delegated. */
  readonly target?: string;
  readonly problem?: string;
  readonly credential?: {
    readonly name: string;
    readonly validation: 'unproven' | 'valid' | 'failed';
    readonly detail?: string;
  };
}

/** One connection that was tried from here. */
export interface ReachFacts {
  readonly address: string;
  readonly port: number;
  /** Absent when it was accepted. */
  readonly problem?: string;
}

export interface NameFacts {
  readonly name: string;
  readonly wildcard: boolean;
  readonly challenge: 'auto' | 'http-01' | 'tls-alpn-01' | 'dns-01' | 'dns-account-01' | 'dns-persist-01';
  readonly ca: CaIdentity;
  readonly look: NameLook;
  /** Public addresses of our edge; empty where they are not known. */
  readonly ours: readonly string[];
  readonly delegation?: DelegationFacts;
  readonly reach: readonly ReachFacts[];
}

/** What the facts mean for an order, worst news included, in the order in which a person reads them. */
export function judgeName(facts: NameFacts): Finding[] {
  const byDns = facts.wildcard || facts.challenge.startsWith('dns-');
  // With `auto`, DNS is one way among others: what is amiss with it does not stand in the way of the rest.
  const mayDns = byDns || (facts.challenge === 'auto' && facts.delegation?.credential !== undefined);
  return [
    ...(facts.ca.isPublic && isSpecialUse(facts.name) ? [specialUse(facts)] : []),
    ...resolution(facts, byDns),
    ...(facts.look.splitHorizon === undefined ? [] : [split(facts.look.splitHorizon)]),
    ...(facts.look.dnssec === undefined ? [] : [dnssec(facts)]),
    caa(facts),
    ...(mayDns && facts.delegation !== undefined ? delegation(facts, facts.delegation, byDns) : []),
    ...(byDns ? [] : facts.reach.map((reach) => reachability(facts, reach))),
  ];
}

const specialUse = ({ name, ca }: NameFacts): Finding => ({
  check: 'name',
  outcome: 'wrong',
  detail: `${name} is in a domain that does not exist on the Internet (RFC 6761), so ${ca.issuer} cannot certify it`,
  advice: 'use internal-ca for it',
});

function resolution({ name, ca, look, ours }: NameFacts, byDns: boolean): Finding[] {
  const authoritative = look.answers.filter(({ view }) => view === 'authoritative');
  const answers = authoritative.some(({ problem }) => problem === undefined) ? authoritative : look.answers;
  const addresses = [...new Set(answers.flatMap((answer) => answer.addresses))];
  if (addresses.length === 0) {
    // A DNS proof needs no address (seed b says it too): the service is not reachable yet, and that is all.
    const denied = authoritative.length > 0 && authoritative.every(({ problem }) => isDenial(problem));
    const said = look.answers.map(({ server, problem }) => `${server}: ${problem ?? 'no address'}`).slice(0, 4);
    return [
      {
        check: 'dns',
        outcome: denied && !byDns && ca.isPublic ? 'wrong' : 'advice',
        detail: `${name} has no address (${said.join('; ') || 'nobody was asked'})`,
        // Servers that cannot be asked say nothing of what the zone has.
        advice: look.answers.some(({ view, problem }) => view !== 'system' && problem === 'SERVFAIL')
          ? SPLIT_HORIZON_ADVICE
          : ours.length > 0
            ? `add A or AAAA records for ${ours.join(', ')}`
            : 'add an A or AAAA record for this edge',
      },
    ];
  }
  const elsewhere = ours.length > 0 && !addresses.some((address) => ours.includes(address));
  return [
    elsewhere
      ? {
          check: 'dns',
          outcome: 'advice',
          detail: `${name} is at ${addresses.join(', ')}, which is not this edge (${ours.join(', ')})`,
          advice:
            'a content network or load balancer in front is fine if it passes challenges on; else change the record',
        }
      : { check: 'dns', outcome: 'good', detail: `${name} is at ${addresses.join(', ')}` },
  ];
}

const isDenial = (problem: string | undefined) => problem === 'NXDOMAIN' || problem?.startsWith('no address') === true;

const split = (detail: string): Finding => ({
  check: 'split-horizon',
  outcome: 'advice',
  detail,
  advice: 'name public resolvers for certificates: GATEHOUSE_ACME_DNS_RESOLVERS=1.1.1.1:53,1.0.0.1:53',
});

const dnssec = ({ name, ca }: NameFacts): Finding => ({
  check: 'dnssec',
  outcome: 'advice',
  detail: `a validating resolver refuses ${name} and answers it unchecked: DNSSEC is broken, and ${ca.issuer} may refuse it`,
  advice: 'renew the zone signatures, or mend or remove the DS record at the parent',
});

function caa({ name, wildcard, challenge, ca, look }: NameFacts): Finding {
  const { caa } = look;
  if (caa.problem !== undefined)
    return {
      check: 'caa',
      outcome: 'advice',
      detail: `CAA of ${name} could not be read: ${caa.problem}`,
      advice: 'a CA that cannot read it either refuses: the servers must answer, if only with "no such record"',
    };
  if (ca.caNames.length === 0)
    return {
      check: 'caa',
      outcome: 'good',
      detail: caa.records.length === 0 ? 'no CAA record' : caa.records.join('; '),
    };
  const verdict = judgeCaa(caa.found, {
    caNames: ca.caNames,
    wildcard,
    ...(ca.accountUri !== undefined && { accountUri: ca.accountUri }),
    ...(challenge !== 'auto' && { method: challenge }),
  });
  if (verdict.allowed)
    return {
      check: 'caa',
      outcome: 'good',
      detail: caa.records.length === 0 ? `no CAA record: every CA may issue` : `CAA allows ${ca.issuer}`,
    };
  return {
    check: 'caa',
    outcome: 'wrong',
    detail: `CAA does not let ${ca.issuer} issue for ${name}: ${verdict.why}`,
    advice: `add: ${caa.found[0]?.name ?? name}. CAA 0 ${wildcard ? 'issuewild' : 'issue'} "${ca.caNames[0]}"`,
  };
}

function delegation(facts: NameFacts, found: DelegationFacts, byDns: boolean): Finding[] {
  const { recordName, target, problem, credential } = found;
  const worst = byDns ? 'wrong' : 'advice';
  const place = target ?? recordName;
  const way: Finding[] =
    problem !== undefined
      ? [{ check: 'delegation', outcome: 'advice', detail: `where ${recordName} leads could not be seen: ${problem}` }]
      : target === undefined
        ? []
        : [{ check: 'delegation', outcome: 'good', detail: `${recordName} leads to ${target} by CNAME` }];
  if (credential === undefined)
    return [
      ...way,
      {
        check: 'dns-credential',
        outcome: worst,
        detail: `no DNS credential is for a zone of ${place}`,
        advice: facts.wildcard
          ? 'a wildcard is proved by DNS only: add a credential for the zone'
          : 'add a DNS credential for the zone, or use another challenge',
      },
    ];
  const outcomes: Record<typeof credential.validation, Finding['outcome']> = {
    valid: 'good',
    unproven: 'advice',
    failed: worst,
  };
  const words: Record<typeof credential.validation, string> = {
    valid: `${credential.name} may write ${place}`,
    unproven: `${credential.name} is for ${place}, and was not proved yet`,
    failed: `${credential.name} is for ${place}, and failed its proof: ${credential.detail ?? 'no reason is known'}`,
  };
  return [
    ...way,
    {
      check: 'dns-credential',
      outcome: outcomes[credential.validation],
      detail: words[credential.validation],
      ...(credential.validation !== 'valid' && { advice: 'gatehouse dns-credentials validate' }),
    },
  ];
}

/** Only from here: a router that does not send its own addresses back inside (hairpin NAT) fails this, and no CA. */
function reachability({ name }: NameFacts, { address, port, problem }: ReachFacts): Finding {
  if (problem === undefined)
    return {
      check: 'reachability',
      outcome: 'good',
      detail: `port ${port} of ${address} accepts connections from here`,
    };
  return {
    check: 'reachability',
    outcome: 'advice',
    detail: `port ${port} of ${address} cannot be reached from here: ${problem}`,
    advice: `if ${name} cannot be reached from the Internet either: open port ${port} in firewall and port forwarding`,
  };
}
