import type { Identifier } from './identifier.ts';
import type { ProblemDocument } from './problem.ts';

/** RFC 8555 §7.1.6. */
export type OrderStatus = 'pending' | 'ready' | 'processing' | 'valid' | 'invalid';

/** RFC 8555 §7.1.3; `replaces` from RFC 9773 §5; `profile` from draft-ietf-acme-profiles. */
export interface OrderObject {
  readonly status: OrderStatus;
  readonly expires?: string;
  readonly identifiers: readonly Identifier[];
  readonly notBefore?: string;
  readonly notAfter?: string;
  readonly error?: ProblemDocument;
  readonly authorizations: readonly string[];
  readonly finalize: string;
  readonly certificate?: string;
  readonly replaces?: string;
  readonly profile?: string;
}
