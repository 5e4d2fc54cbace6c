import { Fault } from '../base/index.ts';
import { setAuthorityState } from '../store/ca.ts';
import type { Authority } from './authority.ts';
import { CROSS, createAuthority, type HierarchyDeps, type HierarchySettings } from './hierarchy.ts';

/**
 * A new intermediate with a key of its own signs from now on; certificates under the old one keep their chain, and the old
 * one keeps signing its lists. With `root`, a new root comes too, and the new intermediate is certified by both roots, so
 * that clients which trust either are offered a chain (RFC 8555 §7.4.2).
 */
export async function rollOver(
  deps: HierarchyDeps,
  settings: HierarchySettings,
  authorities: readonly Authority[],
  { root: withRoot }: { readonly root: boolean },
): Promise<Authority> {
  const issuing = issuingOf(authorities);
  const oldRoot = authorities.find(({ id }) => id === issuing.parentId);
  if (oldRoot === undefined || oldRoot.kind !== 'root')
    throw refuse('the active intermediate is not directly under a root that is known here');
  const number = authorities.filter(({ kind }) => kind === 'intermediate').length + 1;
  const newRoot = withRoot
    ? await createAuthority(deps, settings, { kind: 'root', slot: `root-${number}` })
    : undefined;
  const next = await createAuthority(deps, settings, {
    kind: 'intermediate',
    slot: `intermediate-${number}`,
    parent: oldRoot,
  });
  if (newRoot !== undefined)
    await createAuthority(deps, settings, {
      kind: 'intermediate',
      slot: `intermediate-${number}${CROSS}`,
      parent: newRoot,
      sameKeyAs: next,
    });
  await deps.store.write((tx) => setAuthorityState(tx, issuing.id, 'retired'));
  return next;
}

/** The intermediate that signs: the newest that is active. */
export function issuingOf(authorities: readonly Authority[]): Authority {
  const issuing = authorities.findLast(({ kind, state }) => kind === 'intermediate' && state === 'active');
  if (issuing !== undefined) return issuing;
  throw refuse('the CA has no active intermediate');
}

const refuse = (detail: string): Fault =>
  new Fault({ code: 'ca_incomplete', detail, party: 'operator', retry: 'never', status: 409 });
