import { Fault } from '../base/index.ts';
import { appendAudit } from '../store/audit.ts';
import { setAuthorityState } from '../store/ca.ts';
import type { Authority } from './authority.ts';
import { CROSS, claimAuthorities, type HierarchyDeps, type HierarchySettings, prepareAuthority } from './hierarchy.ts';

/**
 * A new intermediate with a key of its own signs from now on; certificates under the old one keep their chain, and the old
 * one keeps signing its lists. With `root`, a new root comes too, and the new intermediate is certified by both roots, so
 * that clients which trust either are offered a chain (RFC 8555 §7.4.2). `actor` is whom the audit log names. False when
 * another replica did the same at the same time.
 */
export async function rollOver(
  deps: HierarchyDeps,
  settings: HierarchySettings,
  authorities: readonly Authority[],
  { root: withRoot }: { readonly root: boolean },
  actor: string,
): Promise<boolean> {
  const issuing = issuingOf(authorities);
  const parent = rootFor(authorities, issuing, settings, deps.clock.now());
  if (parent === undefined) throw refuse('no root that is known here has its key here, so nothing can be certified');
  const number = authorities.filter(({ kind }) => kind === 'intermediate').length + 1;
  const slot = `intermediate-${number}`;
  const next = await prepareAuthority(deps, settings, { kind: 'intermediate', slot, parent });
  const prepared = [next];
  if (withRoot) {
    const root = await prepareAuthority(deps, settings, { kind: 'root', slot: `root-${number}` });
    const cross = { kind: 'intermediate', slot: `${slot}${CROSS}`, parent: root.authority, sameKeyAs: next.authority };
    prepared.push(root, await prepareAuthority(deps, settings, { ...cross, kind: 'intermediate' }));
  }
  return claimAuthorities(deps, prepared, async (tx) => {
    await setAuthorityState(tx, issuing.id, 'retired');
    await appendAudit(tx, {
      actor,
      action: 'ca_authority.roll_over',
      resource: `ca_authority:${next.row.id}`,
      facts: { from: issuing.id, not_after: next.row.not_after, root: withRoot },
      at: deps.clock.now(),
    });
  });
}

/** The intermediate that signs: the newest that is active. */
export function issuingOf(authorities: readonly Authority[]): Authority {
  const issuing = authorities.findLast(({ kind, state }) => kind === 'intermediate' && state === 'active');
  if (issuing !== undefined) return issuing;
  throw refuse('the CA has no active intermediate');
}

/**
 * What certifies the next intermediate: the root above this one, while it lasts long enough; then one that came after it.
 * Never one from before, which an imported CA has replaced and its clients do not know.
 */
export function rootFor(
  authorities: readonly Authority[],
  issuing: Authority,
  { intermediateLifetime }: HierarchySettings,
  now: number,
): Authority | undefined {
  const aboveAt = authorities.findIndex(({ id }) => id === issuing.parentId);
  const roots = authorities
    .slice(Math.max(0, aboveAt))
    .filter(({ kind, signer }) => kind === 'root' && signer.place !== 'elsewhere');
  const lasting = ({ certificate }: Authority) => certificate.notAfter - now > intermediateLifetime / 2;
  const above = roots.find(({ id }) => id === issuing.parentId);
  if (above !== undefined && lasting(above)) return above;
  return roots.toSorted((a, b) => b.certificate.notAfter - a.certificate.notAfter).find(lasting) ?? above;
}

const refuse = (detail: string): Fault =>
  new Fault({ code: 'ca_incomplete', detail, party: 'operator', retry: 'never', status: 409 });
