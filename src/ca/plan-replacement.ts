import type { Authority } from './authority.ts';
import type { HierarchySettings } from './hierarchy.ts';
import { issuingOf, rootFor } from './rollover.ts';

/** What the intermediate that signs needs. */
export type Replacement =
  | { readonly kind: 'none' }
  | { readonly kind: 'roll_over'; readonly root: boolean }
  /** Only a person can do it. */
  | { readonly kind: 'stuck'; readonly why: string; readonly advice: string };

const WEEK = 7 * 86_400_000;

/**
 * The intermediate is replaced before the longest certificate that may be asked of it would outlive it (RFC 5280 §6.1
 * checks the whole chain), with a week to try again in. A root that would cut the next one short is replaced with it.
 * `longestLeaf` in milliseconds.
 */
export function planReplacement(
  authorities: readonly Authority[],
  settings: HierarchySettings,
  longestLeaf: number,
  now: number,
): Replacement {
  const issuing = issuingOf(authorities);
  // Leaves longer than half of the life of an intermediate would have it replaced for ever; those are cut short.
  const needed = Math.min(longestLeaf, settings.intermediateLifetime / 2) + WEEK;
  const left = issuing.certificate.notAfter - now;
  if (left > needed) return { kind: 'none' };
  const ends = `the intermediate ${issuing.id} ends at ${new Date(issuing.certificate.notAfter).toISOString()}`;
  if (issuing.signer.place === 'program')
    return {
      kind: 'stuck',
      why: `${ends}, and its key is with a program that makes none`,
      advice: 'make a key and a certificate there, and import them (ca.import)',
    };
  const root = rootFor(authorities, issuing, settings, now);
  if (root === undefined)
    return {
      kind: 'stuck',
      why: `${ends}, and the key of its root is not here`,
      advice: 'have a new intermediate certified, and import it (gatehouse ca import)',
    };
  if (root.certificate.notAfter - now > settings.intermediateLifetime / 2) return { kind: 'roll_over', root: false };
  if (!root.isImported) return { kind: 'roll_over', root: true };
  // A root of ours in the place of one that others gave out would be known to nobody.
  if (root.certificate.notAfter > issuing.certificate.notAfter + WEEK) return { kind: 'roll_over', root: false };
  return { kind: 'stuck', why: `${ends}, with its root`, advice: 'import the next one (gatehouse ca import)' };
}
