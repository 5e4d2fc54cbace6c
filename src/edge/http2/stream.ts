import type { Fields, Head } from '../message/head.ts';
import type { BlockQueue } from '../wire/blocks.ts';

/** Who follows a stream: a request's client side on a server, its upstream side on a client. */
export interface StreamOwner {
  /** On a client: an answer's head, interim ones first. */
  head(head: Head, ended: boolean): void;
  data(bytes: Buffer, start: number, end: number): void;
  ended(trailers: Fields | undefined): void;
  /** The last call when the stream did not end well. */
  reset(code: number): void;
  /** What was queued has left. */
  drained(): void;
}

/** One stream of a connection (RFC 9113 §5). It is in the session's map as long as one side is open. */
export class Stream {
  readonly id: number;
  owner: StreamOwner | undefined;
  /** The peer has ended its side. */
  remoteEnded = false;
  /** We have ended ours, queued octets included. */
  localEnded = false;
  /** What we may send; may be negative after a change of settings (§6.9.2). */
  sendWindow: number;
  /** What the peer may still send. */
  receiveWindow: number;
  /** Octets taken by the owner and not yet given back as window. */
  taken = 0;
  /** Octets of data that wait for windows. */
  queued = 0;
  queue: BlockQueue | undefined;
  /** What comes after the queue: the end, with trailers or without. */
  endQueued = false;
  trailers: Fields | undefined;
  wantsDrain = false;
  /** Declared and received octets of the peer's body; -1 is undeclared. */
  declared = -1;
  receivedOctets = 0;
  sawHead = false;

  constructor(id: number, sendWindow: number, receiveWindow: number) {
    this.id = id;
    this.sendWindow = sendWindow;
    this.receiveWindow = receiveWindow;
  }
}
