import type { Clock } from '../base/index.ts';
import type { Store } from '../store/index.ts';

export interface NetworkDeps {
  readonly store: Store;
  readonly clock: Clock;
}

/** Names of networks, peers, instances and virtual IPs: they appear in file names and interface labels. */
export const NAME = /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/;
export const NAME_RULE = { pattern: NAME, most: 253, what: 'a name of lower-case letters, digits, hyphens and dots' };
