import { Fault } from '../base/index.ts';
import { PERMISSIONS, type Permission } from '../contract/index.ts';

/** Who asks. Every use case takes one; nothing is done in nobody's name. */
export interface Actor {
  /** As the audit log has it: `token:tok_…`, `user:alice@example.com`, `system`. */
  readonly name: string;
  readonly permissions: ReadonlySet<Permission>;
  /** Names for the person, where an OpenID provider vouched for them. */
  readonly persons?: readonly string[];
  /** App ids that it is limited to; absent: all. */
  readonly apps?: ReadonlySet<string>;
}

export const may = (actor: Actor, permission: Permission): boolean => actor.permissions.has(permission);

/** Throws a `Fault` of status 403 that names the permission. */
export function requirePermission(actor: Actor, permission: Permission): void {
  if (!may(actor, permission)) throw permissionMissing(permission);
}

export function permissionMissing(permission: Permission): Fault {
  return new Fault({
    code: 'permission_missing',
    detail: `this needs the permission ${permission} (${PERMISSIONS[permission]}), which your token does not have`,
    party: 'client',
    retry: 'never',
    status: 403,
    field: permission,
    advice: `ask somebody who may manage tokens for one with ${permission}`,
  });
}

export function outOfScope(app: string): Fault {
  return new Fault({
    code: 'app_out_of_scope',
    detail: `your token is limited to other apps than ${app}`,
    party: 'client',
    retry: 'never',
    status: 403,
    advice: 'use a token for this app, or one that is not limited to apps',
  });
}

/** For what concerns the whole installation and not one app. */
export function requireUnscoped(actor: Actor, what: string): void {
  if (actor.apps !== undefined)
    throw new Fault({
      code: 'app_out_of_scope',
      detail: `your token is limited to named apps, and ${what} concerns all of them`,
      party: 'client',
      retry: 'never',
      status: 403,
      advice: 'use a token that is not limited to apps',
    });
}
