import { Fault } from '../base/index.ts';
import { canonical, type DnsRecord } from './message.ts';
import { aliasChain, type Resolver } from './resolver.ts';

export type CaaRecord = Extract<DnsRecord, { type: 'CAA' }>;

/** The CAA records that count for a name: those of the nearest name at or above it (RFC 8659 §3). */
export async function findCaa(name: string, resolver: Resolver, signal: AbortSignal): Promise<CaaRecord[]> {
  const labels = canonical(name.replace(/^\*\./, '')).split('.');
  for (let cut = 0; cut < labels.length; cut++) {
    const at = labels.slice(cut).join('.');
    const reply = await resolver.query(at, 'CAA', signal);
    const end = aliasChain(at, reply).at(-1) ?? at;
    const found = reply.answers.filter((record): record is CaaRecord => record.type === 'CAA' && record.name === end);
    if (found.length > 0) return found;
  }
  return [];
}

/** Who asks: the CA's names as it writes them in CAA, and what RFC 8657 lets an owner bind. */
export interface CaaApplicant {
  readonly caNames: readonly string[];
  readonly wildcard: boolean;
  readonly accountUri?: string;
  /** `dns-01`, `http-01`, … */
  readonly method?: string;
}

export type CaaVerdict = { readonly allowed: true } | { readonly allowed: false; readonly why: string };

const KNOWN_TAGS = new Set(['issue', 'issuewild', 'iodef', 'contactemail', 'contactphone', 'issuemail', 'issuevmc']);

/** RFC 8659 §4 and RFC 8657 §3–4, as a CA applies them. */
export function judgeCaa(records: readonly CaaRecord[], applicant: CaaApplicant): CaaVerdict {
  const unknown = records.find(({ critical, tag }) => critical && !KNOWN_TAGS.has(tag));
  if (unknown !== undefined)
    return { allowed: false, why: `the critical CAA property ${unknown.tag} is one that no CA knows` };
  const wild = applicant.wildcard ? records.filter(({ tag }) => tag === 'issuewild') : [];
  const relevant = wild.length > 0 ? wild : records.filter(({ tag }) => tag === 'issue');
  if (relevant.length === 0) return { allowed: true };
  const tag = wild.length > 0 ? 'issuewild' : 'issue';
  const named = relevant.map(({ data }) => parseIssue(data)).filter(({ ca }) => applicant.caNames.includes(ca));
  if (named.length === 0) {
    const others = [...new Set(relevant.map(({ data }) => parseIssue(data).ca).filter((ca) => ca !== ''))];
    return {
      allowed: false,
      why:
        others.length === 0
          ? `CAA ${tag} ";" forbids every CA`
          : `CAA ${tag} allows only ${others.join(', ')}, and not ${applicant.caNames.join(' or ')}`,
    };
  }
  const reasons: string[] = [];
  for (const { parameters } of named) {
    const account = parameters.get('accounturi');
    const methods = parameters.get('validationmethods')?.split(',');
    if (account !== undefined && applicant.accountUri !== undefined && account !== applicant.accountUri)
      reasons.push(`it binds issuance to the account ${account}, and ours is ${applicant.accountUri}`);
    else if (methods !== undefined && applicant.method !== undefined && !methods.includes(applicant.method))
      reasons.push(`it allows only the method ${methods.join(', ')}, and this is ${applicant.method}`);
    else return { allowed: true };
  }
  return { allowed: false, why: `CAA ${tag} names the CA, but ${reasons.join('; ')}` };
}

function parseIssue(value: string): { ca: string; parameters: ReadonlyMap<string, string> } {
  const [ca = '', ...rest] = value.split(';').map((part) => part.trim());
  const parameters = rest.flatMap((part): [string, string][] => {
    const equals = part.indexOf('=');
    return equals < 0 ? [] : [[part.slice(0, equals).trim().toLowerCase(), part.slice(equals + 1).trim()]];
  });
  return { ca: canonical(ca), parameters: new Map(parameters) };
}

/** Throws a `Fault` of code `caa_forbids` when the applicant may not have the name. */
export function requireCaa(name: string, records: readonly CaaRecord[], applicant: CaaApplicant): void {
  const verdict = judgeCaa(records, applicant);
  if (verdict.allowed) return;
  const at = records[0]?.name ?? name;
  throw new Fault({
    code: 'caa_forbids',
    detail: `CAA at ${at} does not let this CA issue for ${name}: ${verdict.why}`,
    party: 'dns',
    retry: 'backoff',
    advice: `add to ${at}: CAA 0 ${applicant.wildcard ? 'issuewild' : 'issue'} "${applicant.caNames[0] ?? ''}"`,
  });
}

export const caaText = ({ name, critical, tag, data }: CaaRecord): string =>
  `${name}. CAA ${critical ? 128 : 0} ${tag} "${data}"`;
