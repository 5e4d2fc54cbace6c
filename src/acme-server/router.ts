import type { Resource } from './call.ts';
import { account, accountOrders } from './resources/account.ts';
import { authorization } from './resources/authorization.ts';
import { certificate } from './resources/certificate.ts';
import { challenge } from './resources/challenge.ts';
import { directory } from './resources/directory.ts';
import { finalize } from './resources/finalize.ts';
import { keyChange } from './resources/key-change.ts';
import { newAccount } from './resources/new-account.ts';
import { newAuthz } from './resources/new-authz.ts';
import { newNonce } from './resources/new-nonce.ts';
import { newOrder } from './resources/new-order.ts';
import { order } from './resources/order.ts';
import { renewalInfo } from './resources/renewal-info.ts';
import { revoke } from './resources/revoke.ts';

/** Paths below a profile; `*` stands for one segment and becomes a parameter. */
const RESOURCES: readonly (readonly [pattern: string, resource: Resource])[] = [
  ['directory', directory],
  ['new-nonce', newNonce],
  ['new-account', newAccount],
  ['new-order', newOrder],
  ['new-authz', newAuthz],
  ['revoke-cert', revoke],
  ['key-change', keyChange],
  ['renewal-info/*', renewalInfo],
  ['account/*', account],
  ['account/*/orders', accountOrders],
  ['order/*', order],
  ['order/*/finalize', finalize],
  ['authz/*', authorization],
  ['authz/*/*', challenge],
  ['certificate/*', certificate],
  ['certificate/*/*', certificate],
];

const byLength = RESOURCES.map(([pattern, resource]) => ({ pattern, segments: pattern.split('/'), resource }));

export interface Route {
  /** Undefined for the default profile. */
  readonly profileId?: string;
  /** As `RESOURCES` has it. */
  readonly pattern: string;
  readonly resource: Resource;
  readonly parameters: readonly string[];
}

const PROFILE = /^\/acme\/profile\/([a-z0-9][a-z0-9-]{0,62})\/(.+)$/;
const SEGMENT = /^[A-Za-z0-9_.-]{1,200}$/;

/** Finds the resource of a path; undefined when there is none. */
export function route(path: string): Route | undefined {
  const match = PROFILE.exec(path);
  const rest =
    match?.[2] ?? (path.startsWith('/acme/') && !path.startsWith('/acme/profile/') ? path.slice(6) : undefined);
  if (rest === undefined) return undefined;
  const segments = rest.split('/');
  for (const candidate of byLength) {
    if (candidate.segments.length !== segments.length) continue;
    const parameters: string[] = [];
    const fits = candidate.segments.every((expected, index) => {
      const segment = segments[index]!;
      if (expected !== '*') return expected === segment;
      parameters.push(segment);
      return SEGMENT.test(segment);
    });
    const { pattern, resource } = candidate;
    if (fits) return { profileId: match?.[1], pattern, resource, parameters };
  }
  return undefined;
}
