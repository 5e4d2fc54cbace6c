import type { Fields, Head } from '../message/head.ts';

/** A request as an upstream shall get it: the client's head less some fields, with some of ours. Both writers read it. */
export interface OutgoingRequest {
  readonly head: Head;
  /** Fields that are left out, by number. */
  readonly drop: number;
  /** The path and query instead of the head's. */
  readonly target: string | undefined;
  /** The Host instead of the client's. */
  readonly authority: string | undefined;
  readonly extra: readonly Fields[];
  readonly body: 'none' | 'length' | 'stream';
  /** The protocol asked for by Upgrade. */
  readonly upgrade: string | undefined;
  /** `TE: trailers` is worth saying. */
  readonly trailers: boolean;
}

/** An answer as the client shall get it. */
export interface OutgoingAnswer {
  readonly head: Head;
  readonly drop: number;
  readonly extra: Fields | undefined;
  /** What follows: nothing whatever the fields say (HEAD, 204, 304), nothing, so many octets, or as many as come. */
  readonly body: 'none' | 'empty' | 'length' | 'stream';
}
