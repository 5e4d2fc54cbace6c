import type { FaultDetails } from '../base/index.ts';

/** Said over the IPC channel of a child, in structured clones; the first thing a child hears is `start`. */
export type ToChild =
  | { readonly type: 'start'; readonly init: unknown }
  | { readonly type: 'message'; readonly body: unknown }
  | { readonly type: 'drain'; readonly deadlineMs: number };

export type FromChild =
  | { readonly type: 'ready'; readonly body: unknown }
  | { readonly type: 'failed'; readonly fault: FaultDetails }
  | { readonly type: 'message'; readonly body: unknown };

/** Standard streams are 0–2 and the IPC channel is 3, so the descriptors that a child inherits begin here. */
export const FIRST_INHERITED_FD = 4;
