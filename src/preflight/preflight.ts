import { isIP } from 'node:net';
import { Fault, faultOf } from '../base/index.ts';
import type { CaIdentity } from './ca-identity.ts';
import { type GatherSources, gatherName } from './gather.ts';
import { type Finding, judgeName, type NameFacts } from './judge-name.ts';

export interface PreflightSources extends GatherSources {
  /** Undefined for an issuer that is not known. */
  caOf(issuerId: string): Promise<CaIdentity | undefined>;
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
}

const PREFLIGHT_MS = 12_000;
const AT_ONCE = 8;

/**
 * What is looked at before an order is spent. A look that fails by itself never stands in the way: only what a CA would
 * refuse for certain does.
 */
export function createPreflight(sources: PreflightSources): { check(wish: PreflightWish): Promise<PreflightOutcome> } {
  return {
    async check(wish) {
      const ca = await sources.caOf(wish.issuerId);
      const proof = await provenCredential(sources, wish);
      if (proof !== undefined) return { blocking: proof, words: [proof.message] };
      if (ca?.isPublic !== true) return { words: [] };
      const signal = AbortSignal.any([wish.signal, AbortSignal.timeout(PREFLIGHT_MS)]);
      const found: { name: string; finding: Finding }[] = [];
      const names = wish.names.filter((name) => isIP(name) === 0);
      for (let at = 0; at < names.length; at += AT_ONCE)
        await Promise.all(
          names.slice(at, at + AT_ONCE).map(async (name) => {
            const findings = await findingsOf(sources, wish, name, ca, signal);
            found.push(...findings.map((finding) => ({ name, finding })));
          }),
        );
      wish.signal.throwIfAborted();
      const wrong = found.filter(({ finding }) => finding.outcome === 'wrong');
      const words = found.filter(({ finding }) => finding.outcome !== 'good').map(({ finding }) => finding.detail);
      return wrong.length === 0 ? { words } : { blocking: faultOfFindings(wrong), words };
    },
  };
}

async function provenCredential(sources: PreflightSources, wish: PreflightWish): Promise<Fault | undefined> {
  if (wish.dnsCredentialId === undefined || !/^dns-|^auto$/.test(wish.challenge)) return undefined;
  try {
    await sources.proveCredential(wish.dnsCredentialId, wish.signal);
    return undefined;
  } catch (error) {
    wish.signal.throwIfAborted();
    return faultOf(error);
  }
}

async function findingsOf(
  sources: PreflightSources,
  wish: PreflightWish,
  name: string,
  ca: CaIdentity,
  signal: AbortSignal,
): Promise<Finding[]> {
  try {
    const challenge = wish.challenge as NameFacts['challenge'];
    const question = { name, challenge, ca, credentialId: wish.dnsCredentialId, reach: false };
    return judgeName(await gatherName(sources, question, signal));
  } catch (error) {
    wish.signal.throwIfAborted();
    const detail = `${name} could not be looked at: ${signal.aborted ? 'the DNS is too slow' : faultOf(error).message}`;
    return [{ check: 'dns', outcome: 'advice', detail }];
  }
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
