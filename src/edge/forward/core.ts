import type { Clock, Logger } from '../../base/index.ts';
import type { PlaneObserver, PlaneSettings } from '../plane/types.ts';
import type { RouteTable } from '../routing/route-table.ts';
import type { Service } from './service.ts';

/** What every connection and request of one plane shares. */
export interface Core {
  readonly clock: Clock;
  readonly log: Logger;
  readonly observer: PlaneObserver;
  readonly table: RouteTable<Service>;
  /** As last configured. */
  readonly settings: PlaneSettings;
  readonly draining: boolean;
  readonly trusted: (address: string) => boolean;
  /** Milliseconds with fractions since some start; for durations. */
  elapsed(): number;
  /** Whether the address has a request left in its bucket. */
  takeRequest(address: string): boolean;
  retryAfter(): number;
  newRequestId(): string;
}
