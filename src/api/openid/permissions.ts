import { ALL_PERMISSIONS, type Permission } from '../../contract/index.ts';

/** What the groups of a person give together, in the order of the vocabulary. `*` is everything; a claim of another shape is no group. */
export function permissionsOfGroups(
  claim: unknown,
  groups: readonly { readonly group: string; readonly permissions: readonly (Permission | '*')[] }[],
): Permission[] {
  const names = new Set(typeof claim === 'string' ? [claim] : Array.isArray(claim) ? claim : []);
  const given = new Set(groups.filter(({ group }) => names.has(group)).flatMap(({ permissions }) => permissions));
  return ALL_PERMISSIONS.filter((permission) => given.has('*') || given.has(permission));
}
