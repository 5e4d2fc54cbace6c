import { isSpecialUse, type NameLook, SPLIT_HORIZON_ADVICE } from '../dns/index.ts';
import type { CaIdentity } from './ca-identity.ts';
import { caaFinding, caaVerdictOf } from './judge-caa.ts';
import { type DelegationFacts, judgeDelegation } from './judge-delegation.ts';

/** One thing that was looked at. `wrong` alone keeps an order from being made. */
export interface Finding {
  readonly check: string;
  readonly outcome: 'good' | 'advice' | 'wrong';
  readonly detail: string;
  readonly advice?: string;
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
  /** Ways in which control would be shown, before CAA takes any of them away. */
  readonly methods: readonly string[];
  readonly ca: CaIdentity;
  readonly look: NameLook;
  /** Public addresses of our edge; empty where they are not known. */
  readonly ours: readonly string[];
  readonly delegation?: DelegationFacts;
  readonly reach: readonly ReachFacts[];
}

/** The methods that CAA leaves, where it says anything of them (RFC 8657 §4). */
export function methodsLeft({ name, ca, look, methods }: NameFacts): readonly string[] {
  const verdict = caaVerdictOf({ name, ca, caa: look.caa, methods });
  return (verdict?.allowed === true && verdict.methods) || methods;
}

/** Whether nothing but DNS can show control of the name. */
export const isByDns = (facts: NameFacts): boolean => methodsLeft(facts).every((method) => method.startsWith('dns-'));

/** What the facts mean for an order, worst news included, in the order in which a person reads them. */
export function judgeName(facts: NameFacts): Finding[] {
  const { name, ca, look, methods } = facts;
  const byDns = isByDns(facts);
  return [
    ...(ca.isPublic && isSpecialUse(name) ? [specialUse(facts)] : []),
    ...resolution(facts, byDns),
    ...(look.splitHorizon === undefined ? [] : [split(look.splitHorizon)]),
    ...(look.dnssec === undefined ? [] : [dnssec(facts)]),
    caaFinding({ name, ca, caa: look.caa, methods }),
    ...(facts.delegation !== undefined && (byDns || facts.challenge === 'auto')
      ? judgeDelegation(facts, facts.delegation, byDns)
      : []),
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
