import type { DomainProof, DomainRow } from '../store/domains.ts';

/** A claim that nothing proved within this time lapses. */
export const CLAIM_LASTS_MS = 7 * 24 * 3_600_000;

export type ClaimPlan =
  /** Nobody holds it. */
  | { readonly kind: 'new' }
  /** This app holds it already: the request is a repetition, or changes its options. */
  | { readonly kind: 'held' }
  /** This app's claim had lapsed and begins again. */
  | { readonly kind: 'renew' }
  /** Another app's claim ends and this one's begins. */
  | { readonly kind: 'take-over'; readonly proof: DomainProof | undefined }
  | { readonly kind: 'refused' };

/**
 * What a claim of `name` by `appId` amounts to. `proof` is what DNS shows now for the claimant; `holderProof` what it
 * shows for the app that holds the name. Whoever writes the zone decides: an app that is named there takes the name over
 * from one that is not.
 */
export function planClaim(
  held: Pick<DomainRow, 'app_id' | 'kind' | 'lapsed_at' | 'lapses_at'> | undefined,
  appId: string,
  now: number,
  evidence: { proof?: DomainProof; holderProof?: DomainProof },
): ClaimPlan {
  if (held === undefined) return { kind: 'new' };
  const lapsed = held.lapsed_at !== null || (held.lapses_at !== null && held.lapses_at <= now);
  if (held.app_id === appId) return { kind: lapsed ? 'renew' : 'held' };
  if (held.kind === 'auto') return { kind: 'refused' };
  if (lapsed) return { kind: 'take-over', proof: evidence.proof };
  // That an address is the edge's says nothing about which of its apps the zone's holder meant.
  const shown = evidence.proof === 'txt' || evidence.proof === 'cname' ? evidence.proof : undefined;
  const kept = evidence.holderProof === 'txt' || evidence.holderProof === 'cname';
  return shown !== undefined && !kept ? { kind: 'take-over', proof: shown } : { kind: 'refused' };
}
