import type { Fault } from '../base/index.ts';
import type { ServedCertificate } from '../picture/index.ts';
import type { RouteGroup } from './route-group.ts';

/** One step of what a publisher brings to its place. */
export interface Delivery {
  readonly groups: readonly RouteGroup[];
  readonly certificates: readonly ServedCertificate[];
  /** Ids of groups and certificates to take away. */
  readonly gone: readonly string[];
}

/** A place where routes and certificates are delivered. It keeps what it was given until told otherwise. */
export interface PublishTarget {
  /** Tells this place from others, in answers and in the store: `edge`, `traefik-files`. */
  readonly name: string;
  /** Looks at what is there, and answers every item of ours. Asked at a start, and now and then. */
  inventory(): Promise<Iterable<string>>;
  /** What is there of an item as far as is known: digest of the group, or version of the certificate. */
  holds(item: string): string | undefined;
  /**
   * Brings all of it there, or answers, by item, why one could not be. Throws when the place as a whole cannot be
   * reached. Certificates come before the groups that need them; what is given again changes nothing.
   */
  deliver(delivery: Delivery): Promise<ReadonlyMap<string, Fault>>;
  /** Told after each time that everything wanted was compared and delivered, as far as it could be. */
  upToDate?(): void;
  /** True: takes no certificates, since something there gets them itself. */
  readonly groupsOnly?: boolean;
}
