import type { ConnectionContext } from '../forward/connection-context.ts';
import type { ConnectionState } from '../plane/types.ts';

/** What a connection has for its first request once no new ones are wanted. */
export const FIRST_REQUEST_MS = 2_000;

/** A client's connection as the plane sees it, whichever protocol it speaks. */
export interface ClientConnection {
  readonly context: ConnectionContext;
  readonly openedAt: number;
  readonly protocol: ConnectionState['protocol'];
  readonly requests: number;
  readonly active: number;
  start(): void;
  /** Looks at its deadlines; called about twice a second. */
  tick(now: number): void;
  drain(): void;
  destroy(): void;
}

export interface ClientOwner {
  closed(connection: ClientConnection): void;
}
