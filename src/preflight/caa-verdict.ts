import { type CaaLook, judgeCaa } from '../dns/index.ts';
import type { CaIdentity } from './ca-identity.ts';

/** What the CAA records that were found mean for a CA; undefined where its names in CAA are not known. */
export function caaVerdict(
  name: string,
  caa: CaaLook,
  ca: CaIdentity | undefined,
): { readonly allows?: boolean; readonly detail?: string } {
  if (caa.problem !== undefined) return { detail: `CAA could not be read: ${caa.problem}` };
  if (ca === undefined || ca.caNames.length === 0) return {};
  const verdict = judgeCaa(caa.found, {
    caNames: ca.caNames,
    wildcard: name.startsWith('*.'),
    ...(ca.accountUri !== undefined && { accountUri: ca.accountUri }),
  });
  return verdict.allowed ? { allows: true } : { allows: false, detail: `${ca.issuer} may not issue: ${verdict.why}` };
}
