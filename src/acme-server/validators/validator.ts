import type { ChallengeType, Identifier } from '../../acme/index.ts';
import type { ProfileSettings } from '../profile.ts';

export type ValidationPolicy = ProfileSettings['validation'];

/** One challenge to be checked. */
export interface ValidationTask {
  readonly type: ChallengeType;
  /** Without `*.`. */
  readonly identifier: Identifier;
  readonly wildcard: boolean;
  /** Absent in dns-persist-01. */
  readonly token?: string;
  /** RFC 7638 thumbprint of the account key. */
  readonly thumbprint: string;
  readonly accountUrl: string;
  readonly policy: ValidationPolicy;
  readonly now: number;
}

/** Resolves when control was shown; throws a `Refusal` that says what was found instead. */
export type Validator = (task: ValidationTask, signal: AbortSignal) => Promise<void>;
