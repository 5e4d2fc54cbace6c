import { Exchange } from '../forward/exchange.ts';
import type { OutgoingAnswer } from '../forward/outgoing.ts';
import { outgoingAnswer, plainAnswer } from '../forward/own-answer.ts';
import type { ClientSide } from '../forward/sides.ts';
import { returnHead } from '../http2/build-head.ts';
import { INTERNAL_ERROR } from '../http2/frames.ts';
import { FIELD_SLACK } from '../http2/hpack-encoder.ts';
import { blockScratch } from '../http2/sender.ts';
import type { Session } from '../http2/session.ts';
import type { Stream, StreamOwner } from '../http2/stream.ts';
import { INTERIM_DROP } from '../message/field-names.ts';
import type { Fields, Head } from '../message/head.ts';
import type { Http2Client } from './http2-client.ts';

/** Above this, an upstream waits for the stream's windows. */
const MOST_QUEUED = 64 * 1024;

/** One request of an HTTP/2 connection. */
export class Http2Stream implements ClientSide {
  readonly stream: Stream;
  readonly exchange: Exchange;
  private readonly connection: Http2Client;
  private readonly session: Session;
  private paused = false;
  private untaken = 0;
  private bodyTouched = false;
  private bodyDeadline = 0;
  private cutOff = false;

  constructor(connection: Http2Client, session: Session, stream: Stream, head: Head) {
    this.connection = connection;
    this.session = session;
    this.stream = stream;
    stream.owner = this.incoming();
    this.exchange = new Exchange(connection.context, head, this, !stream.remoteEnded);
  }

  start(tooLarge: boolean): void {
    if (!tooLarge) {
      this.exchange.start();
      return;
    }
    const { outgoing, body } = outgoingAnswer(plainAnswer(431, 'the head is too large'), false);
    this.answer(outgoing, false);
    this.data(body, 0, body.length);
    this.finish(undefined);
  }

  // From the client.

  private incoming(): StreamOwner {
    return {
      head() {},
      data: (bytes, start, end) => this.received(bytes, start, end),
      ended: (trailers) => this.exchange.requestEnd(trailers),
      reset: () => {
        this.cutOff = true;
        this.exchange.clientGone();
      },
      drained: () => this.exchange.clientDrained(),
    };
  }

  private received(bytes: Buffer, start: number, end: number): void {
    this.bodyTouched = true;
    this.exchange.requestData(bytes, start, end);
    if (this.paused) this.untaken += end - start;
    else this.session.consumed(this.stream, end - start);
  }
  pauseBody(): void {
    this.paused = true;
  }
  resumeBody(): void {
    this.paused = false;
    const octets = this.untaken;
    this.untaken = 0;
    if (octets > 0) this.session.consumed(this.stream, octets);
  }

  /** The stream is over: its head may be another's. */
  closed(): void {
    if (!this.exchange.isDone) this.exchange.clientGone();
    returnHead(this.exchange.head);
  }

  // To the client.

  get isFull(): boolean {
    return this.stream.queued > MOST_QUEUED;
  }
  notifyDrain(): void {
    this.stream.wantsDrain = true;
  }

  interim(head: Head): void {
    this.writeHead(head, INTERIM_DROP, undefined, false);
  }

  answer(answer: OutgoingAnswer, ended: boolean): void {
    this.writeHead(answer.head, answer.drop, answer.extra, ended);
    if (ended) this.session.ownSideEnded(this.stream);
  }

  private writeHead(head: Head, drop: number, extra: Fields | undefined, ended: boolean): void {
    if (this.cutOff) return;
    const { encoder } = this.session.sender;
    const most = head.fieldsEnd + head.count * FIELD_SLACK + (extra?.fieldsEnd ?? 0) + 256;
    if (most > blockScratch.length) {
      this.cut();
      return;
    }
    let at = encoder.begin(blockScratch, 0);
    at = encoder.status(blockScratch, at, head.status);
    at = encoder.fields(blockScratch, at, head, drop);
    if (extra !== undefined) at = encoder.fields(blockScratch, at, extra, 0);
    this.session.sender.headers(this.stream.id, blockScratch, at, ended);
  }

  data(bytes: Buffer, start: number, end: number): void {
    if (!this.cutOff) this.session.sender.data(this.stream, bytes, start, end);
  }
  finish(trailers: Fields | undefined): void {
    if (!this.cutOff) this.session.sender.end(this.stream, trailers);
  }
  flush(): void {}
  cut(): void {
    this.cutOff = true;
    this.session.reset(this.stream, INTERNAL_ERROR);
  }
  upgrade(): void {
    this.cut();
  }

  tick(now: number): void {
    this.exchange.tick(now);
    if (this.stream.remoteEnded || this.exchange.isDone) return;
    const { bodyMs } = this.connection.context.core.settings.limits;
    if (this.bodyTouched || this.paused || this.bodyDeadline === 0) {
      this.bodyTouched = false;
      this.bodyDeadline = now + bodyMs;
    } else if (now >= this.bodyDeadline) this.connection.slowBody(this);
  }
}
