import type { ChallengeObject } from './challenge.ts';
import type { Identifier } from './identifier.ts';

/** RFC 8555 §7.1.6. */
export type AuthorizationStatus = 'pending' | 'valid' | 'invalid' | 'deactivated' | 'expired' | 'revoked';

/** RFC 8555 §7.1.4. */
export interface AuthorizationObject {
  readonly identifier: Identifier;
  readonly status: AuthorizationStatus;
  /** RFC 3339. */
  readonly expires?: string;
  readonly challenges: readonly ChallengeObject[];
  /** Present and true when the order asked for `*.` before the identifier. */
  readonly wildcard?: boolean;
}
