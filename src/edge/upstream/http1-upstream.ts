import type { Exchange } from '../forward/exchange.ts';
import type { OutgoingRequest } from '../forward/outgoing.ts';
import type { UpstreamSide } from '../forward/sides.ts';
import { ChunkedReader } from '../http1/chunked.ts';
import { parseResponseHead } from '../http1/parse-head.ts';
import { lastChunk, requestHeadRoom, writeChunk, writeRequestHead } from '../http1/write-head.ts';
import * as field from '../message/field-names.ts';
import { CONNECTION_CLOSE, CONNECTION_KEEP_ALIVE, type Fields, Head, NO_LENGTH } from '../message/head.ts';
import { malformation } from '../message/malformed.ts';
import { Wire, type WireHandler } from '../wire/wire.ts';
import type { Connected } from './connect.ts';
import type { Pool } from './pool.ts';

const IDLE = 0;
const HEAD = 1;
const LENGTH = 2;
const CHUNKED = 3;
const UNTIL_CLOSE = 4;
const TUNNEL = 5;
const CLOSED = 6;

// Answers of our own side: generous, since the operator's servers are not strangers, but bounded.
const ANSWER_LIMITS = { headBytes: 65_536, headerCount: 200 };
const MOST_INTERIM = 16;

/** Where heads and chunks are put together; a wire has copied them when `write` returns. */
const scratch = Buffer.allocUnsafeSlow(64 * 1024);

/** An HTTP/1.1 connection to an upstream: one request at a time. */
export class Http1Upstream implements UpstreamSide, WireHandler {
  readonly wire: Wire;
  idleSince = 0;
  idleUntil = 0;
  /** What the upstream said in Keep-Alive, less a second. */
  keepAliveMs = Number.POSITIVE_INFINITY;
  private readonly pool: Pool;
  private readonly head = new Head();
  private exchange: Exchange | undefined;
  private state = IDLE;
  private left = 0;
  private reader: ChunkedReader | undefined;
  private held: Buffer | undefined;
  private chunks = false;
  private sentAll = true;
  private reused = false;
  private interims = 0;
  private headOnly = false;
  private wantsUpgrade = false;
  private reusable = true;
  private readonly passData = (bytes: Buffer, start: number, end: number) =>
    this.exchange?.answerData(bytes, start, end);

  constructor(pool: Pool, connected: Connected) {
    this.pool = pool;
    this.wire = new Wire(connected.socket, this);
    this.wire.start();
  }

  get url(): string {
    return this.pool.target.url;
  }
  get isFull(): boolean {
    return this.wire.isBusy;
  }
  isUsable(now: number): boolean {
    return this.state === IDLE && !this.wire.isClosed && now < this.idleUntil;
  }

  // What goes out.

  send(request: OutgoingRequest, exchange: Exchange): void {
    this.exchange = exchange;
    this.state = HEAD;
    this.interims = 0;
    this.headOnly = exchange.headOnly;
    this.wantsUpgrade = request.upgrade !== undefined;
    this.chunks = request.body === 'stream';
    this.sentAll = request.body === 'none';
    const room = requestHeadRoom(request);
    const block = room > scratch.length ? Buffer.allocUnsafeSlow(room) : scratch;
    const end = writeRequestHead(block, 0, request);
    if (request.body === 'none') this.wire.write(block, 0, end);
    else this.wire.writeSoon(block, 0, end);
  }

  data(bytes: Buffer, start: number, end: number): void {
    if (end <= start || this.state === CLOSED) return;
    if (!this.chunks) {
      this.wire.writeSoon(bytes, start, end);
      return;
    }
    const room = end - start + 12;
    const block = room > scratch.length ? Buffer.allocUnsafeSlow(room) : scratch;
    this.wire.writeSoon(block, 0, writeChunk(block, 0, bytes, start, end));
  }

  finish(_trailers: Fields | undefined): void {
    this.sentAll = true;
    // Servers of HTTP/1.1 seldom read trailers, and may read them as fields: they end here (RFC 9110 §6.5.1).
    if (!this.chunks) return;
    const last = lastChunk(undefined);
    this.wire.writeSoon(last, 0, last.length);
  }

  notifyDrain(): void {
    this.wire.wantsDrain = true;
  }
  pause(): void {
    this.wire.pause();
  }
  resume(): void {
    this.wire.resume();
  }

  cancel(): void {
    const idle = this.exchange === undefined && this.state === IDLE;
    this.exchange = undefined;
    if (idle) this.pool.giveBack(this);
    else this.close();
  }

  close(): void {
    this.state = CLOSED;
    this.pool.forget(this);
    this.wire.destroy();
  }

  // What comes in.

  received(bytes: Buffer, start: number, end: number): void {
    const { exchange } = this;
    if (exchange === undefined) {
      this.close();
      return;
    }
    if (this.held !== undefined) {
      bytes = Buffer.concat([this.held, bytes.subarray(start, end)]);
      this.held = undefined;
      start = 0;
      end = bytes.length;
    }
    let at = start;
    while (at < end && this.exchange === exchange && this.state !== TUNNEL) {
      const next = this.state === HEAD ? this.readHead(bytes, at, end) : this.readBody(bytes, at, end);
      if (next < 0) {
        this.malformed(next);
        return;
      }
      if (next === at) break;
      at = next;
    }
    if (this.state === TUNNEL) {
      if (at < end) this.wire.deliver(bytes, at, end);
      return;
    }
    // Octets after an answer belong to nothing that was asked.
    if (at < end && this.state === IDLE) this.close();
    exchange.flush();
  }

  private readHead(bytes: Buffer, at: number, end: number): number {
    const { head } = this;
    const after = parseResponseHead(head, bytes, at, end, ANSWER_LIMITS);
    if (after === 0) this.held = Buffer.from(bytes.subarray(at, end));
    if (after <= 0) return after === 0 ? at : after;
    const { status } = head;
    if (status < 200) return this.readInterim(after);
    this.reusable =
      head.version === 1 ? (head.connection & CONNECTION_CLOSE) === 0 : (head.connection & CONNECTION_KEEP_ALIVE) !== 0;
    if (head.has(field.KEEP_ALIVE)) this.readKeepAlive();
    const bodiless = this.headOnly || status === 204 || status === 304;
    if (bodiless || head.contentLength === 0) {
      this.exchange!.answerHead(head, true);
      this.complete();
    } else if (head.chunked) this.startBody(CHUNKED);
    else if (head.contentLength === NO_LENGTH) this.startBody(UNTIL_CLOSE);
    else this.startBody(LENGTH);
    return after;
  }

  private startBody(state: number): void {
    this.state = state;
    this.left = this.head.contentLength;
    this.reader = state === CHUNKED ? new ChunkedReader() : undefined;
    this.exchange!.answerHead(this.head, false);
  }

  private readInterim(after: number): number {
    const { head, exchange } = this;
    if (head.status === 101) {
      if (!this.wantsUpgrade) return -1;
      this.state = TUNNEL;
      exchange!.answerHead(head, false);
      return after;
    }
    if (++this.interims > MOST_INTERIM) return -1;
    exchange!.answerHead(head, false);
    return after;
  }

  private readKeepAlive(): void {
    const seconds = /\btimeout=(\d+)/i.exec(this.head.valueOf(field.KEEP_ALIVE))?.[1];
    // A second less than it says: it may close while we send.
    if (seconds !== undefined) this.keepAliveMs = Math.max(0, Number(seconds) * 1000 - 1000);
  }

  private readBody(bytes: Buffer, at: number, end: number): number {
    const exchange = this.exchange!;
    if (this.state === CHUNKED) {
      const reader = this.reader!;
      const next = reader.read(bytes, at, end, this.passData);
      if (next >= 0 && reader.done && this.exchange === exchange) {
        exchange.answerEnd(reader.trailers);
        this.complete();
      }
      return next;
    }
    if (this.state !== LENGTH) {
      exchange.answerData(bytes, at, end);
      return end;
    }
    const stop = Math.min(end, at + this.left);
    this.left -= stop - at;
    exchange.answerData(bytes, at, stop);
    if (this.left === 0 && this.exchange === exchange) {
      exchange.answerEnd(undefined);
      this.complete();
    }
    return stop;
  }

  /** The answer is whole. */
  private complete(): void {
    if (this.state === CLOSED) return;
    this.exchange = undefined;
    this.reader = undefined;
    this.state = IDLE;
    this.reused = true;
    this.wire.resume();
    if (this.reusable && this.sentAll) this.pool.giveBack(this);
    else this.close();
  }

  private malformed(code: number): void {
    const { exchange } = this;
    this.exchange = undefined;
    this.close();
    const { detail } = malformation(code);
    exchange?.upstreamFailed({ detail: `malformed answer: ${detail}`, unsent: false, stale: false, timeout: false });
    exchange?.flush();
  }

  ended(): void {
    const { exchange } = this;
    if (exchange !== undefined && this.state === UNTIL_CLOSE) {
      this.reusable = false;
      exchange.answerEnd(undefined);
      this.complete();
      exchange.flush();
    } else if (this.state === IDLE) this.close();
  }

  drained(): void {
    this.exchange?.upstreamDrained();
  }

  closed(error: Error | undefined): void {
    const { exchange, state } = this;
    this.exchange = undefined;
    this.state = CLOSED;
    this.pool.forget(this);
    if (exchange === undefined) return;
    const stale = this.reused && state === HEAD && this.held === undefined && this.interims === 0;
    const detail = error?.message ?? 'the connection ended before the answer did';
    exchange.upstreamFailed({ detail, unsent: false, stale, timeout: false });
    exchange.flush();
  }

  /** After a 101: the wire goes to a tunnel, and this connection is no longer the pool's. */
  detach(): Wire {
    this.exchange = undefined;
    this.pool.forget(this);
    return this.wire;
  }
}
