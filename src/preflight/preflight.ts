import { isIP } from 'node:net';
import { Fault, faultOf } from '../base/index.ts';
import { type CaIdentity, obeysCaa } from './ca-identity.ts';
import { type GatherSources, gatherDelegation, gatherName, type NameQuestion } from './gather.ts';
import { type Finding, isByDns, judgeName, methodsLeft, type NameFacts } from './judge-name.ts';
import { methodsOf } from './methods.ts';

export interface PreflightSources extends GatherSources {
  /** Undefined for an issuer that is not known. */
  caOf(issuerId: string, signal: AbortSignal): Promise<CaIdentity | undefined>;
  /** Proves a credential again where its proof is old; throws the `Fault` that says why it cannot be used. */
  proveCredential(id: string, signal: AbortSignal): Promise<void>;
}

export interface PreflightWish {
  readonly names: readonly string[];
  readonly issuerId: string;
  readonly challenge: string;
  readonly dnsCredentialId?: string;
  readonly signal: AbortSignal;
}

export interface PreflightOutcome {
  /** What would make the CA refuse for certain. */
  readonly blocking?: Fault;
  readonly words: readonly string[];
  /** Name -> the challenge types that its CAA records leave, for those names where they leave some out. */
  readonly methods: ReadonlyMap<string, readonly string[]>;
}

const PREFLIGHT_MS = 12_000;
const AT_ONCE = 8;

/** What was found of one name. */
interface Seen {
  readonly name: string;
  readonly findings: readonly Finding[];
  readonly methods?: readonly string[];
}

/**
 * What is looked at before an order is spent. A look that fails by itself never stands in the way: only what a CA would
 * refuse for certain does, and a DNS credential that is needed and cannot write.
 */
export function createPreflight(sources: PreflightSources): { check(wish: PreflightWish): Promise<PreflightOutcome> } {
  return {
    async check(wish) {
      const prove = createProver(sources, wish);
      const named = /^dns-|^auto$/.test(wish.challenge) ? wish.dnsCredentialId : undefined;
      const refused = named === undefined ? undefined : await prove(named);
      if (refused !== undefined) return blocked(refused);
      const signal = AbortSignal.any([wish.signal, AbortSignal.timeout(PREFLIGHT_MS)]);
      const ca = await sources.caOf(wish.issuerId, signal);
      const look = ca?.isPublic === true || obeysCaa(ca) ? lookAtName(sources, wish, ca, signal) : undefined;
      const seen: Seen[] = [];
      const names = wish.names.filter((name) => isIP(name) === 0 && !/(^|\.)localhost$/.test(name));
      for (let at = 0; at < names.length; at += AT_ONCE) {
        const some = names.slice(at, at + AT_ONCE);
        const facts = look && (await Promise.all(some.map(look)));
        for (const id of await credentialsNeeded(sources, wish, facts ?? some, signal)) {
          const fault = await prove(id);
          if (fault !== undefined) return blocked(fault);
        }
        if (facts !== undefined) seen.push(...facts.map(judged));
      }
      wish.signal.throwIfAborted();
      return outcomeOf(seen);
    },
  };
}

type Looked = NameFacts | { readonly name: string; readonly finding: Finding };

const lookAtName =
  (sources: GatherSources, wish: PreflightWish, ca: CaIdentity, signal: AbortSignal) =>
  async (name: string): Promise<Looked> => {
    try {
      const challenge = wish.challenge as NameQuestion['challenge'];
      const reach = ca.isPublic ? 'public' : 'none';
      const question = { name, challenge, ca, credentialId: wish.dnsCredentialId, reach } as const;
      return await gatherName(sources, question, signal);
    } catch (error) {
      wish.signal.throwIfAborted();
      const why = signal.aborted ? 'the DNS is too slow' : faultOf(error).message;
      return { name, finding: { check: 'dns', outcome: 'advice', detail: `${name} could not be looked at: ${why}` } };
    }
  };

/** Credentials that were not named, without which some of these names cannot be validated. */
async function credentialsNeeded(
  sources: GatherSources,
  wish: PreflightWish,
  names: readonly (Looked | string)[],
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  const needed = new Set<string>();
  if (wish.dnsCredentialId !== undefined) return needed;
  for (const one of names) {
    if (typeof one !== 'string') {
      const usable = 'look' in one && isByDns(one) && one.delegation?.dangling === undefined;
      if (usable && one.delegation?.credential?.covers === true) needed.add(one.delegation.credential.id);
      continue;
    }
    // A CA of which nothing is known: only what is ours to prove is looked at.
    const challenge = wish.challenge as NameQuestion['challenge'];
    const methods = methodsOf({ challenge, wildcard: one.startsWith('*.') }, false);
    if (!methods.every((method) => method.startsWith('dns-'))) continue;
    const found = await gatherDelegation(sources, one.replace(/^\*\./, ''), undefined, signal).catch(() => undefined);
    wish.signal.throwIfAborted();
    if (found?.credential !== undefined) needed.add(found.credential.id);
  }
  return needed;
}

/** Each credential once. */
function createProver(sources: PreflightSources, wish: PreflightWish): (id: string) => Promise<Fault | undefined> {
  const proved = new Map<string, Promise<Fault | undefined>>();
  const prove = async (id: string): Promise<Fault | undefined> => {
    try {
      await sources.proveCredential(id, wish.signal);
      return undefined;
    } catch (error) {
      wish.signal.throwIfAborted();
      return faultOf(error);
    }
  };
  return (id) => {
    const outcome = proved.get(id) ?? prove(id);
    proved.set(id, outcome);
    return outcome;
  };
}

function judged(one: Looked): Seen {
  if (!('look' in one)) return { name: one.name, findings: [one.finding] };
  const left = methodsLeft(one);
  return { name: one.name, findings: judgeName(asProved(one)), ...(left !== one.methods && { methods: left }) };
}

/** What was needed has been proved by now. */
function asProved(facts: NameFacts): NameFacts {
  const { delegation } = facts;
  if (delegation?.credential === undefined || !isByDns(facts)) return facts;
  return { ...facts, delegation: { ...delegation, credential: { ...delegation.credential, validation: 'valid' } } };
}

const blocked = (fault: Fault): PreflightOutcome => ({ blocking: fault, words: [fault.message], methods: new Map() });

function outcomeOf(seen: readonly Seen[]): PreflightOutcome {
  const found = seen.flatMap(({ name, findings }) => findings.map((finding) => ({ name, finding })));
  const wrong = found.filter(({ finding }) => finding.outcome === 'wrong');
  const words = found.filter(({ finding }) => finding.outcome !== 'good').map(({ finding }) => finding.detail);
  const methods = new Map(seen.flatMap((one) => (one.methods === undefined ? [] : [[one.name, one.methods] as const])));
  return { words, methods, ...(wrong.length > 0 && { blocking: faultOfFindings(wrong) }) };
}

function faultOfFindings(wrong: readonly { name: string; finding: Finding }[]): Fault {
  const problems = wrong.map(({ name, finding: { check, detail, advice } }) => ({
    code: `preflight_${check.replaceAll('-', '_')}`,
    detail,
    party: check === 'dns-credential' ? ('operator' as const) : ('dns' as const),
    retry: 'backoff' as const,
    field: `dns:${name.replace(/^\*\./, '')}`,
    ...(advice !== undefined && { advice }),
  }));
  const [first] = problems;
  if (problems.length === 1) return new Fault({ ...first!, code: 'preflight' });
  const detail = `${problems.length} things stand in the way: ${problems
    .map((one) => one.detail)
    .join('; ')
    .slice(0, 1000)}`;
  return new Fault({ ...first!, code: 'preflight', detail, problems });
}
