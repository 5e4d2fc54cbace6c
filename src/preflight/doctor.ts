import { isIP } from 'node:net';
import { faultOf } from '../base/index.ts';
import { serverLabel, unansweredReason } from '../dns/index.ts';
import type { CaIdentity } from './ca-identity.ts';
import { type GatherSources, gatherName, type NameQuestion } from './gather.ts';
import { type Finding, judgeName } from './judge-name.ts';

export interface DoctorSources extends GatherSources {
  /** How the certificate of a name is, or would be, got. */
  wish(name: string | undefined, signal: AbortSignal): Promise<DoctorWish>;
  /** How far our clock is ahead of an issuer's, in ms; throws where it cannot be asked. */
  clockSkew(issuerId: string, signal: AbortSignal): Promise<number>;
  /** What is left of an issuer's limits for a name, or of those that are nearly used up, in words. */
  limits(
    issuerId: string,
    name: string | undefined,
  ): Promise<readonly { readonly words: string; readonly usedUp: boolean }[]>;
}

export interface DoctorWish {
  readonly ca: CaIdentity;
  readonly challenge: NameQuestion['challenge'];
  readonly credentialId?: string;
}

const EXAMINE_MS = 30_000;
const SKEW_MS = 60_000;

/** Everything that stands between a name and its certificate, or, without a name, what this machine needs. */
export function createDoctor(sources: DoctorSources): { examine(name: string | undefined): Promise<Finding[]> } {
  return {
    async examine(name) {
      const signal = AbortSignal.timeout(EXAMINE_MS);
      const wish = await sources.wish(name, signal);
      const { ca } = wish;
      const [aboutName, aboutClock, aboutLimits] = await Promise.all([
        name === undefined ? examineResolvers(sources, signal) : examineName(sources, name, wish, signal),
        examineClock(sources, ca, signal),
        examineLimits(sources, ca, name),
      ]);
      const findings = [...aboutName, ...aboutClock, ...aboutLimits];
      return name === undefined ? findings : [...findings, conclusion(name, ca, findings)];
    },
  };
}

async function examineName(
  sources: DoctorSources,
  name: string,
  wish: DoctorWish,
  signal: AbortSignal,
): Promise<Finding[]> {
  if (isIP(name) !== 0) return [{ check: 'dns', outcome: 'good', detail: `${name} is an address and needs no DNS` }];
  // RFC 6761 §6.3: these are loopback, whatever a resolver would say, and it is not asked.
  if (name === 'localhost' || name.endsWith('.localhost'))
    return [{ check: 'dns', outcome: 'good', detail: `${name} is this machine by its name, and needs no DNS` }];
  const facts = await gatherName(sources, { name, ...wish, reach: 'any' }, signal);
  const seen = facts.look.answers.map(({ view, server, addresses, cname, problem }): Finding => {
    const way = cname.length === 0 ? '' : ` by ${cname.join(' -> ')}`;
    const answer = problem ?? `${addresses.join(', ')}${way}`;
    return {
      check: `dns: ${view}`,
      outcome: problem === undefined ? 'good' : 'advice',
      detail: `${server} answers ${answer}`,
    };
  });
  return [...seen, ...judgeName(facts)];
}

async function examineResolvers({ dns }: DoctorSources, signal: AbortSignal): Promise<Finding[]> {
  const servers = [...dns.configured, ...dns.system];
  if (servers.length === 0)
    return [
      {
        check: 'resolvers',
        outcome: 'wrong',
        detail: 'this machine knows no DNS resolver',
        advice: 'set /etc/resolv.conf',
      },
    ];
  return Promise.all(
    servers.map(async (server): Promise<Finding> => {
      const label = serverLabel(server);
      try {
        const { rcode } = await dns.ask(server, { name: '', type: 'NS', recurse: true }, signal);
        if (rcode === 'NOERROR') return { check: 'resolvers', outcome: 'good', detail: `${label} answers` };
        return {
          check: 'resolvers',
          outcome: 'advice',
          detail: `${label} answers ${rcode} when asked for the name servers of the root, so it may not know public names`,
          advice: 'name other resolvers: GATEHOUSE_ACME_DNS_RESOLVERS',
        };
      } catch (error) {
        const detail = `${label} does not answer: ${unansweredReason(error)}`;
        return {
          check: 'resolvers',
          outcome: 'advice',
          detail,
          advice: 'name other resolvers: GATEHOUSE_ACME_DNS_RESOLVERS',
        };
      }
    }),
  );
}

async function examineClock(sources: DoctorSources, ca: CaIdentity, signal: AbortSignal): Promise<Finding[]> {
  try {
    const skew = await sources.clockSkew(ca.issuer, signal);
    const seconds = Math.round(Math.abs(skew) / 1000);
    if (Math.abs(skew) < SKEW_MS)
      return [{ check: 'clock', outcome: 'good', detail: `the clock agrees with ${ca.issuer}'s` }];
    return [
      {
        check: 'clock',
        outcome: 'wrong',
        detail: `the clock of this machine is ${seconds} s ${skew > 0 ? 'ahead of' : 'behind'} ${ca.issuer}'s`,
        advice: 'switch on time synchronization (systemd-timesyncd, chrony)',
      },
    ];
  } catch (error) {
    const detail = `${ca.issuer} cannot be reached from here: ${faultOf(error).message}`;
    return [{ check: 'issuer', outcome: 'wrong', detail, advice: 'allow HTTPS to the directory of the issuer' }];
  }
}

async function examineLimits(sources: DoctorSources, ca: CaIdentity, name: string | undefined): Promise<Finding[]> {
  const found = await sources.limits(ca.issuer, name);
  return found.map(({ words, usedUp }) => ({
    check: 'limits',
    outcome: usedUp ? 'wrong' : 'good',
    detail: words,
    ...(usedUp && { advice: 'wait, use another issuer, or try with letsencrypt-staging' }),
  }));
}

function conclusion(name: string, ca: CaIdentity, findings: readonly Finding[]): Finding {
  const wrong = findings.filter(({ outcome }) => outcome === 'wrong').length;
  if (wrong > 0)
    return {
      check: 'verdict',
      outcome: 'wrong',
      detail: `an order for ${name} at ${ca.issuer} would fail: ${wrong === 1 ? 'one thing stands' : `${wrong} things stand`} in the way`,
    };
  return {
    check: 'verdict',
    outcome: 'good',
    detail: `nothing seen from here keeps ${ca.issuer} from certifying ${name}`,
  };
}
