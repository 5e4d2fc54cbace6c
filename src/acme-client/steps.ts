import type { ChallengeType } from '../acme/index.ts';
import type { FaultDetails } from '../base/index.ts';

/** What happens while a certificate is got, in order, in words. */
export interface ObtainStep {
  readonly kind: 'order' | 'authorization' | 'challenge' | 'validation' | 'finalize' | 'issued' | 'problem';
  readonly words: string;
  readonly name?: string;
  readonly type?: ChallengeType;
  readonly url?: string;
  /** Authorizations that failed, where another challenge type is tried for them. */
  readonly failed?: FaultDetails;
}

/** Awaited before the next step is taken, so that a step can be made durable first. */
export type OnStep = (step: ObtainStep) => void | Promise<void>;
