import type { Exchange } from '../forward/exchange.ts';
import type { OutgoingRequest } from '../forward/outgoing.ts';
import type { UpstreamSide } from '../forward/sides.ts';
import { requestHeadRoom } from '../http1/write-head.ts';
import { CANCEL, NO_ERROR, REFUSED_STREAM } from '../http2/frames.ts';
import { FIELD_SLACK } from '../http2/hpack-encoder.ts';
import { blockScratch } from '../http2/sender.ts';
import { Session, type SessionOwner } from '../http2/session.ts';
import type { Stream, StreamOwner } from '../http2/stream.ts';
import { type Fields, fieldsOf, type Head } from '../message/head.ts';
import { returnBlock } from '../wire/blocks.ts';
import { atTurnEnd, type Gathering } from '../wire/turn.ts';
import { Wire, type WireHandler } from '../wire/wire.ts';
import type { Connected } from './connect.ts';
import type { Pool } from './pool.ts';

const CONNECTION_WINDOW = 4 * 1024 * 1024;
const STREAM_WINDOW = 256 * 1024;
const MOST_QUEUED = 64 * 1024;
/** An upstream is the operator's own: these bound mistakes, not attacks. */
const ABUSE = { resets: 100_000, controlFrames: 100_000 };
const TE_TRAILERS = fieldsOf([['te', 'trailers']]);

/** An HTTP/2 connection to an upstream, shared by as many requests as it allows. */
export class Http2Upstream implements WireHandler, SessionOwner, Gathering {
  readonly pool: Pool;
  readonly session: Session;
  idleSince = 0;
  private readonly wire: Wire;
  private leaving = false;
  private touched: Exchange[] = [];

  constructor(pool: Pool, connected: Connected) {
    this.pool = pool;
    this.session = new Session(
      {
        role: 'client',
        streams: 0,
        streamWindow: STREAM_WINDOW,
        connectionWindow: CONNECTION_WINDOW,
        headBytes: 65_536,
        headerCount: 200,
        abuse: ABUSE,
      },
      this,
    );
    this.wire = new Wire(connected.socket, this);
    this.session.start();
    this.wire.start();
  }

  get active(): number {
    return this.session.streams.size;
  }
  hasRoom(): boolean {
    return !this.leaving && !this.wire.isClosed && this.active < this.session.peerStreams;
  }
  newRequest(): Http2Request {
    return new Http2Request(this);
  }

  received(bytes: Buffer, start: number, end: number): void {
    const code = this.session.receive(bytes, start, end);
    const { touched } = this;
    if (touched.length > 0) {
      this.touched = [];
      for (const exchange of touched) exchange.flush();
    }
    if (code !== 0) {
      this.flushTurn();
      this.wire.destroy(new Error(`the upstream broke HTTP/2 (error ${code})`));
    }
  }
  /** Notes that an exchange got something, so that its client's one write comes after all of it. */
  touch(exchange: Exchange): void {
    if (this.touched.at(-1) !== exchange) this.touched.push(exchange);
  }

  ended(): void {
    this.wire.destroy();
  }
  drained(): void {
    this.session.sender.wireBacklog = this.wire.backlog;
    this.session.sender.pump();
  }
  closed(error: Error | undefined): void {
    this.leaving = true;
    this.pool.forgetShared(this);
    const detail = error?.message ?? 'the connection ended before the answer did';
    for (const { owner } of [...this.session.streams.values()]) {
      if (owner instanceof Incoming) owner.request.failed(detail, false);
    }
    this.session.streams.clear();
  }

  goaway(last: number): void {
    this.leaving = true;
    this.pool.forgetShared(this);
    // RFC 9113 §6.8: those above were not acted on, and may go elsewhere.
    for (const stream of [...this.session.streams.values()]) {
      const { owner } = stream;
      if (stream.id <= last || !(owner instanceof Incoming)) continue;
      this.session.reset(stream, CANCEL);
      owner.request.failed('the upstream is leaving', true);
    }
    this.closeIfLeft();
  }
  settings(): void {
    this.pool.roomInShared();
  }
  streamClosed(): void {
    if (this.active === 0) this.idleSince = this.pool.now();
    this.closeIfLeft();
    this.pool.roomInShared();
  }
  /** No new requests; ends with those it has. */
  leave(): void {
    this.leaving = true;
    this.closeIfLeft();
  }
  private closeIfLeft(): void {
    if (this.leaving && this.active === 0) this.close();
  }
  /** A server has no requests for us. */
  request(): void {}

  wantsFlush(): void {
    atTurnEnd(this);
  }
  flushTurn(): void {
    const { sender } = this.session;
    const block = sender.take();
    if (block === undefined) return;
    const length = sender.used;
    sender.used = 0;
    this.wire.write(block, 0, length);
    returnBlock(block);
    sender.wireBacklog = this.wire.backlog;
    if (this.wire.backlog > 0) this.wire.wantsDrain = true;
  }

  /** Ends it politely; what is under way is lost. */
  close(): void {
    this.leaving = true;
    this.session.fail(NO_ERROR);
    this.flushTurn();
    this.wire.end();
  }
}

/** One request on a shared connection. */
export class Http2Request implements UpstreamSide {
  private readonly connection: Http2Upstream;
  private stream: Stream | undefined;
  private exchange: Exchange | undefined;
  private paused = false;
  private untaken = 0;

  constructor(connection: Http2Upstream) {
    this.connection = connection;
  }
  get url(): string {
    return this.connection.pool.target.url;
  }

  send(request: OutgoingRequest, exchange: Exchange): void {
    const { session } = this.connection;
    const stream = session.open();
    if (stream === undefined) {
      exchange.upstreamFailed({ detail: 'no stream is free', unsent: true, stale: true, timeout: false });
      return;
    }
    this.exchange = exchange;
    this.stream = stream;
    stream.owner = new Incoming(this);
    const ended = request.body === 'none';
    const { sender } = session;
    sender.headers(stream.id, blockScratch, this.encode(request), ended);
    if (ended) stream.localEnded = true;
  }

  private encode(request: OutgoingRequest): number {
    const { head, extra } = request;
    const { encoder } = this.connection.session.sender;
    const out = blockScratch;
    let fields = head.count + 8;
    for (const block of extra) fields += block.count;
    if (requestHeadRoom(request) + fields * FIELD_SLACK > out.length) return 0;
    const { bytes } = head;
    let at = encoder.begin(out, 0);
    at = encoder.pair(out, at, METHOD, bytes, head.methodStart, head.methodEnd);
    at = encoder.pair(out, at, SCHEME, this.connection.pool.target.tls === undefined ? HTTP : HTTPS);
    if (request.authority === undefined) {
      at = encoder.pair(out, at, AUTHORITY, bytes, head.authorityStart, head.authorityEnd);
    } else at = encoder.pair(out, at, AUTHORITY, Buffer.from(request.authority, 'latin1'));
    if (request.target === undefined) at = encoder.pair(out, at, PATH, bytes, head.targetStart, head.targetEnd);
    else at = encoder.pair(out, at, PATH, Buffer.from(request.target, 'latin1'));
    at = encoder.fields(out, at, head, request.drop);
    for (const block of extra) at = encoder.fields(out, at, block, 0);
    return request.trailers ? encoder.fields(out, at, TE_TRAILERS, 0) : at;
  }

  answerData(bytes: Buffer, start: number, end: number): void {
    const { exchange, stream } = this;
    if (exchange === undefined || stream === undefined) return;
    exchange.answerData(bytes, start, end);
    if (this.paused) this.untaken += end - start;
    else this.connection.session.consumed(stream, end - start);
    this.connection.touch(exchange);
  }
  data(bytes: Buffer, start: number, end: number): void {
    if (this.stream !== undefined) this.connection.session.sender.data(this.stream, bytes, start, end);
  }
  finish(trailers: Fields | undefined): void {
    if (this.stream !== undefined) this.connection.session.sender.end(this.stream, trailers);
  }
  cancel(): void {
    const { stream } = this;
    this.exchange = undefined;
    this.stream = undefined;
    if (stream !== undefined) this.connection.session.reset(stream, CANCEL);
  }
  get isFull(): boolean {
    return (this.stream?.queued ?? 0) > MOST_QUEUED;
  }
  notifyDrain(): void {
    if (this.stream !== undefined) this.stream.wantsDrain = true;
  }
  pause(): void {
    this.paused = true;
  }
  resume(): void {
    this.paused = false;
    const octets = this.untaken;
    this.untaken = 0;
    if (octets > 0 && this.stream !== undefined) this.connection.session.consumed(this.stream, octets);
  }

  answerHead(head: Head, ended: boolean): void {
    const { exchange } = this;
    if (exchange === undefined) return;
    exchange.answerHead(head, ended);
    this.connection.touch(exchange);
    if (ended) this.exchange = undefined;
  }
  answerEnd(trailers: Fields | undefined): void {
    const { exchange } = this;
    if (exchange === undefined) return;
    this.exchange = undefined;
    exchange.answerEnd(trailers);
    this.connection.touch(exchange);
  }
  bodyDrained(): void {
    this.exchange?.upstreamDrained();
  }
  wasReset(code: number): void {
    // After its whole answer a server may say that it needs no more of the request.
    this.failed(`the upstream reset the stream (error ${code})`, code === REFUSED_STREAM);
  }
  failed(detail: string, unsent: boolean): void {
    const { exchange } = this;
    this.exchange = undefined;
    this.stream = undefined;
    if (exchange === undefined) return;
    exchange.upstreamFailed({ detail, unsent, stale: unsent, timeout: false });
    exchange.flush();
  }
}

/** The stream's side of a request: what comes from the upstream. */
class Incoming implements StreamOwner {
  readonly request: Http2Request;
  constructor(request: Http2Request) {
    this.request = request;
  }
  head(head: Head, ended: boolean): void {
    this.request.answerHead(head, ended);
  }
  data(bytes: Buffer, start: number, end: number): void {
    this.request.answerData(bytes, start, end);
  }
  ended(trailers: Fields | undefined): void {
    this.request.answerEnd(trailers);
  }
  reset(code: number): void {
    this.request.wasReset(code);
  }
  drained(): void {
    this.request.bodyDrained();
  }
}

const METHOD = Buffer.from(':method');
const SCHEME = Buffer.from(':scheme');
const AUTHORITY = Buffer.from(':authority');
const PATH = Buffer.from(':path');
const HTTP = Buffer.from('http');
const HTTPS = Buffer.from('https');
