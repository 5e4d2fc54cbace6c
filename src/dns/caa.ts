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
  /** Absent while there is no account yet: whether a binding to one would hold is then unknown. */
  readonly accountUri?: string;
  /** Ways in which control would be shown: `dns-01`, `http-01`, …; every way when absent. */
  readonly methods?: readonly string[];
}

export type CaaVerdict =
  | {
      readonly allowed: true;
      /** Those of the applicant's methods that are left, where the records leave some out. */
      readonly methods?: readonly string[];
      /** The account that issuance is bound to, where the applicant has none yet. */
      readonly boundTo?: string;
    }
  | {
      readonly allowed: false;
      readonly why: string;
      /** What stands in the way: no record names the CA, or one does, for another account or by other methods. */
      readonly at: 'ca' | 'account' | 'method';
    };

const KNOWN_TAGS = new Set(['issue', 'issuewild', 'iodef', 'contactemail', 'contactphone', 'issuemail', 'issuevmc']);

/** RFC 8659 §4 and RFC 8657 §3–4, as a CA applies them. */
export function judgeCaa(records: readonly CaaRecord[], applicant: CaaApplicant): CaaVerdict {
  const unknown = records.find(({ critical, tag }) => critical && !KNOWN_TAGS.has(tag));
  if (unknown !== undefined)
    return { allowed: false, why: `the critical CAA property ${unknown.tag} is one that no CA knows`, at: 'ca' };
  const wild = applicant.wildcard ? records.filter(({ tag }) => tag === 'issuewild') : [];
  const relevant = wild.length > 0 ? wild : records.filter(({ tag }) => tag === 'issue');
  if (relevant.length === 0) return { allowed: true };
  const tag = wild.length > 0 ? 'issuewild' : 'issue';
  const named = relevant.map(({ data }) => parseIssue(data)).filter(({ ca }) => applicant.caNames.includes(ca));
  if (named.length === 0) {
    const others = [...new Set(relevant.map(({ data }) => parseIssue(data).ca).filter((ca) => ca !== ''))];
    return {
      allowed: false,
      at: 'ca',
      why:
        others.length === 0
          ? `CAA ${tag} ";" forbids every CA`
          : `CAA ${tag} allows only ${others.join(', ')}, and not ${applicant.caNames.join(' or ')}`,
    };
  }
  const permits = named.map(({ parameters }) => judgeBindings(parameters, applicant));
  const given = permits.filter((permit) => 'permit' in permit).map(({ permit }) => permit);
  if (given.length === 0) {
    const refusals = permits.filter((permit) => 'why' in permit);
    const why = `CAA ${tag} names the CA, but ${refusals.map((one) => one.why).join('; ')}`;
    return { allowed: false, why, at: refusals[0]!.at };
  }
  const known = given.filter(({ boundTo }) => boundTo === undefined);
  if (known.length === 0) return { allowed: true, ...given[0] };
  const limited = known.every(({ methods }) => methods !== undefined);
  return { allowed: true, ...(limited && { methods: [...new Set(known.flatMap(({ methods }) => methods ?? []))] }) };
}

type Permit = Omit<Extract<CaaVerdict, { allowed: true }>, 'allowed'>;

/** What one record lets the applicant do, or why it does not (RFC 8657 §3–4). */
function judgeBindings(
  parameters: ReadonlyMap<string, string>,
  applicant: CaaApplicant,
): { readonly permit: Permit } | { readonly why: string; readonly at: 'account' | 'method' } {
  const account = parameters.get('accounturi');
  if (account !== undefined && applicant.accountUri !== undefined && account !== applicant.accountUri)
    return {
      at: 'account',
      why: `it binds issuance to the account ${account}, and ours is ${applicant.accountUri}`,
    };
  const allowed = parameters
    .get('validationmethods')
    ?.split(',')
    .map((method) => method.trim().toLowerCase());
  const methods = applicant.methods?.filter((method) => allowed?.includes(method) !== false);
  if (allowed !== undefined && methods?.length === 0)
    return {
      at: 'method',
      why: `it allows only the method ${allowed.join(', ')}, and this is ${applicant.methods!.join(' or ')}`,
    };
  return {
    permit: {
      ...(allowed !== undefined && { methods: methods ?? allowed }),
      ...(account !== undefined && applicant.accountUri === undefined && { boundTo: account }),
    },
  };
}

function parseIssue(value: string): { ca: string; parameters: ReadonlyMap<string, string> } {
  const [ca = '', ...rest] = value.split(';').map((part) => part.trim());
  const parameters = rest.flatMap((part): [string, string][] => {
    const equals = part.indexOf('=');
    return equals < 0 ? [] : [[part.slice(0, equals).trim().toLowerCase(), part.slice(equals + 1).trim()]];
  });
  return { ca: canonical(ca), parameters: new Map(parameters) };
}

export const caaText = ({ name, critical, tag, data }: CaaRecord): string =>
  `${name}. CAA ${critical ? 128 : 0} ${tag} "${data}"`;
