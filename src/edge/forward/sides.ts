import type { Fields, Head } from '../message/head.ts';
import type { Wire } from '../wire/wire.ts';
import type { Exchange } from './exchange.ts';
import type { OutgoingAnswer, OutgoingRequest } from './outgoing.ts';

/** The client of one request: an HTTP/1.1 connection during it, or an HTTP/2 stream. */
export interface ClientSide {
  /** A 1xx answer other than 101. */
  interim(head: Head): void;
  /** The answer's head; `ended` when nothing follows. */
  answer(answer: OutgoingAnswer, ended: boolean): void;
  data(bytes: Buffer, start: number, end: number): void;
  finish(trailers: Fields | undefined): void;
  /** The answer cannot be completed: the client must be able to tell. */
  cut(): void;
  /** Everything of this turn that belongs to one write has been given. */
  flush(): void;
  /** More was given than has been sent: time to slow the upstream down. */
  readonly isFull: boolean;
  /** Asks for one `exchange.clientDrained()`. */
  notifyDrain(): void;
  pauseBody(): void;
  resumeBody(): void;
  /** The upstream agreed to another protocol: hands both wires to a tunnel. */
  upgrade(answer: OutgoingAnswer, upstream: UpstreamSide): void;
}

/** The upstream of one request: an HTTP/1.1 connection during it, or an HTTP/2 stream. */
export interface UpstreamSide {
  readonly url: string;
  send(request: OutgoingRequest, exchange: Exchange): void;
  data(bytes: Buffer, start: number, end: number): void;
  finish(trailers: Fields | undefined): void;
  /** Nobody waits for the answer any more. */
  cancel(): void;
  /** More was given than has been sent: time to slow the client down. */
  readonly isFull: boolean;
  /** Asks for one `exchange.upstreamDrained()`. */
  notifyDrain(): void;
  pause(): void;
  resume(): void;
  /** After a 101: gives the connection itself away. Only HTTP/1.1 can. */
  detach?(): Wire;
}

/** How an upstream failed a request. */
export interface UpstreamFailure {
  readonly detail: string;
  /** No octet of the request was sent, so that any request may be tried elsewhere. */
  readonly unsent: boolean;
  /** A connection that had been used before ended without an answer: likely closed as we sent (RFC 9110 §9.2.2). */
  readonly stale: boolean;
  readonly timeout: boolean;
}
