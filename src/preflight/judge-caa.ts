import { type CaaLook, type CaaVerdict, judgeCaa } from '../dns/index.ts';
import { type CaIdentity, obeysCaa } from './ca-identity.ts';
import type { Finding } from './judge-name.ts';

export interface CaaQuestion {
  /** Exact or wildcard. */
  readonly name: string;
  readonly ca: CaIdentity | undefined;
  readonly caa: CaaLook;
  /** Ways in which control would be shown; every way when absent. */
  readonly methods?: readonly string[];
}

/** Undefined where nothing can be said: CAA could not be read, or it is not known whether the CA obeys it. */
export function caaVerdictOf({ name, ca, caa, methods }: CaaQuestion): CaaVerdict | undefined {
  if (caa.problem !== undefined || !obeysCaa(ca)) return undefined;
  return judgeCaa(caa.found, {
    caNames: ca.caNames,
    wildcard: name.startsWith('*.'),
    ...(ca.accountUri !== undefined && { accountUri: ca.accountUri }),
    ...(methods !== undefined && { methods }),
  });
}

/** The same for one who only wants to know whether it may. */
export function caaAllows(question: CaaQuestion): { readonly allows?: boolean; readonly detail?: string } {
  const { caa, ca } = question;
  if (caa.problem !== undefined) return { detail: `CAA could not be read: ${caa.problem}` };
  const verdict = caaVerdictOf(question);
  if (verdict === undefined) return {};
  return verdict.allowed ? { allows: true } : { allows: false, detail: `${ca?.issuer} may not issue: ${verdict.why}` };
}

export function caaFinding(question: CaaQuestion): Finding {
  const { name, ca, caa } = question;
  if (caa.problem !== undefined)
    return {
      check: 'caa',
      outcome: 'advice',
      detail: `CAA of ${name} could not be read: ${caa.problem}`,
      advice: 'a CA that cannot read it either refuses: the servers must answer, if only with "no such record"',
    };
  const seen = caa.records.length === 0 ? 'no CAA record' : caa.records.join('; ');
  const verdict = caaVerdictOf(question);
  if (verdict === undefined || !obeysCaa(ca)) return { check: 'caa', outcome: 'good', detail: seen };
  const at = caa.found[0]?.name ?? name.replace(/^\*\./, '');
  const record = `${at}. CAA 0 ${name.startsWith('*.') ? 'issuewild' : 'issue'} "${ca.caNames[0]}`;
  if (!verdict.allowed) {
    const change = `name another method in its record, as in: ${record}; validationmethods=${question.methods?.join(',')}"`;
    return {
      check: 'caa',
      outcome: 'wrong',
      detail: `CAA does not let ${ca.issuer} issue for ${name}: ${verdict.why}`,
      advice: { ca: `add: ${record}"`, method: change, account: accountAdvice(record, ca) }[verdict.at],
    };
  }
  if (verdict.boundTo !== undefined)
    return {
      check: 'caa',
      outcome: 'advice',
      detail: `CAA binds issuance to the account ${verdict.boundTo}, and we have no account at ${ca.issuer} yet`,
      advice: 'once there is one (gatehouse issuers list), its URL must be in the record',
    };
  const methods = verdict.methods === undefined ? '' : `, by ${verdict.methods.join(' or ')} only`;
  const detail = caa.records.length === 0 ? 'no CAA record: every CA may issue' : `CAA allows ${ca.issuer}${methods}`;
  return { check: 'caa', outcome: 'good', detail };
}

const accountAdvice = (record: string, { accountUri }: CaIdentity) =>
  `add our account: ${record}; accounturi=${accountUri ?? ''}"`;
