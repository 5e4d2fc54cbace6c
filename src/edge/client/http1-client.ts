import type { ConnectionContext } from '../forward/connection-context.ts';
import { Exchange } from '../forward/exchange.ts';
import type { OutgoingAnswer } from '../forward/outgoing.ts';
import { outgoingAnswer, plainAnswer } from '../forward/own-answer.ts';
import type { ClientSide, UpstreamSide } from '../forward/sides.ts';
import { Tunnel } from '../forward/tunnel.ts';
import { ChunkedReader } from '../http1/chunked.ts';
import { parseRequestHead } from '../http1/parse-head.ts';
import {
  answerHeadRoom,
  lastChunk,
  writeAnswerHead,
  writeChunk,
  writeInterimHead,
  writeUpgradeHead,
} from '../http1/write-head.ts';
import { CONNECTION_CLOSE, CONNECTION_KEEP_ALIVE, type Fields, Head } from '../message/head.ts';
import { HEAD_TOO_LARGE, malformation, TOO_MANY_FIELDS } from '../message/malformed.ts';
import type { RefusalReason } from '../plane/types.ts';
import { Wire, type WireHandler } from '../wire/wire.ts';
import type { WireSocket } from '../wire/wire-socket.ts';
import { type ClientConnection, type ClientOwner, FIRST_REQUEST_MS } from './connection.ts';
import { gathered, gatheredAt, gatherRoom, isGathering, sendGathered } from './gather.ts';

const READING_HEAD = 0;
const READING_BODY = 1;
const ANSWERING = 2;
const TUNNEL = 3;
const CLOSING = 4;

/** How long a connection that we end may still send, so that it reads our answer before a reset (RFC 9112 §9.6). */
const LINGER_MS = 2_000;
const COPIED_AT_MOST = 32 * 1024;
/** Heads are mostly smaller; memory for larger ones is not kept for the next. */
const MOST_KEPT = 4 * 1024;
const NO_MEMORY = Buffer.alloc(0);

/** An HTTP/1.1 connection of a client: reads requests one after another, and writes their answers. */
export class Http1Client implements ClientSide, WireHandler, ClientConnection {
  readonly context: ConnectionContext;
  readonly openedAt: number;
  requests = 0;
  private readonly owner: ClientOwner;
  private readonly wire: Wire;
  private readonly head = new Head();
  private state = READING_HEAD;
  private held: Buffer | undefined;
  private memory = NO_MEMORY;
  private left = 0;
  private reader: ChunkedReader | undefined;
  private exchange: Exchange | undefined;
  private tunnel: Tunnel | undefined;
  private keepAlive = true;
  private chunks = false;
  private answered = false;
  private bodyPaused = false;
  private bodyTouched = false;
  private processing = false;
  private deadline: number;
  private readonly passData = (bytes: Buffer, start: number, end: number) =>
    this.exchange?.requestData(bytes, start, end);

  constructor(owner: ClientOwner, context: ConnectionContext, socket: WireSocket) {
    this.owner = owner;
    this.context = context;
    this.openedAt = context.core.clock.now();
    this.deadline = this.openedAt + this.limits.headMs;
    this.wire = new Wire(socket, this);
  }
  start(): void {
    this.wire.start();
  }
  private get limits() {
    return this.context.core.settings.limits;
  }
  get protocol() {
    return this.state === TUNNEL ? ('upgraded' as const) : ('HTTP/1.1' as const);
  }
  get active(): number {
    return this.exchange === undefined ? 0 : 1;
  }

  // Requests.

  received(bytes: Buffer, start: number, end: number): void {
    if (this.held === undefined) {
      this.process(bytes, start, end, false);
      return;
    }
    const whole = Buffer.concat([this.held, bytes.subarray(start, end)]);
    this.held = undefined;
    this.process(whole, 0, whole.length, true);
  }

  /** `lasts`: the bytes stay as they are. A head is read from such only, since its request needs it until its end. */
  private process(bytes: Buffer, at: number, end: number, lasts: boolean): void {
    this.processing = true;
    while (at < end) {
      if (this.state === READING_HEAD) {
        if (!lasts) {
          bytes = this.keep(bytes, at, end);
          end -= at;
          at = 0;
          lasts = true;
        }
        const next = this.readHead(bytes, at, end);
        if (next <= 0) break;
        at = next;
      } else if (this.state === READING_BODY) {
        at = this.readBody(bytes, at, end);
        if (at < 0) break;
      } else {
        // The next request waits for this one's answer. What comes after a tunnel or an end is not ours to read.
        if (this.state === ANSWERING) {
          this.held = Buffer.from(bytes.subarray(at, end));
          this.wire.pause();
        }
        break;
      }
    }
    this.processing = false;
  }

  /** A copy at the start of this connection's own memory, as long as one request lives. */
  private keep(bytes: Buffer, start: number, end: number): Buffer {
    const length = end - start;
    if (length > MOST_KEPT) return Buffer.from(bytes.subarray(start, end));
    if (length > this.memory.length) this.memory = Buffer.allocUnsafeSlow(Math.ceil(length / 512) * 512);
    bytes.copy(this.memory, 0, start, end);
    return this.memory;
  }

  private readHead(bytes: Buffer, at: number, end: number): number {
    const { head, context } = this;
    const after = parseRequestHead(head, bytes, at, end, this.limits);
    if (after === 0) {
      // The time for a head begins with its first octet.
      if (this.requests > 0 && this.held === undefined) this.deadline = context.core.clock.now() + this.limits.headMs;
      this.held = Buffer.from(bytes.subarray(at, end));
      return 0;
    }
    if (after < 0) {
      this.refuse(after);
      return -1;
    }
    this.requests++;
    const { connection } = head;
    this.keepAlive =
      this.requests < this.limits.requestsPerConnection &&
      !context.core.draining &&
      (head.version === 1 ? (connection & CONNECTION_CLOSE) === 0 : (connection & CONNECTION_KEEP_ALIVE) !== 0);
    const hasBody = head.chunked || head.contentLength > 0;
    this.state = hasBody ? READING_BODY : ANSWERING;
    this.left = head.contentLength;
    this.reader = head.chunked ? new ChunkedReader() : undefined;
    this.answered = false;
    this.deadline = hasBody ? context.core.clock.now() + this.limits.bodyMs : 0;
    const exchange = new Exchange(context, head, this, hasBody);
    this.exchange = exchange;
    exchange.start();
    return after;
  }

  private readBody(bytes: Buffer, at: number, end: number): number {
    this.bodyTouched = true;
    const { reader } = this;
    if (reader !== undefined) {
      const next = reader.read(bytes, at, end, this.passData);
      if (next < 0) {
        this.exchange?.clientGone('the chunked body is malformed');
        this.exchange = undefined;
        if (this.answered || this.state !== READING_BODY) this.destroy();
        else this.refuse(next);
        return -1;
      }
      if (reader.done) this.bodyEnded(reader.trailers);
      return next;
    }
    const stop = Math.min(end, at + this.left);
    this.left -= stop - at;
    this.passData(bytes, at, stop);
    if (this.left === 0) this.bodyEnded(undefined);
    return stop;
  }

  private bodyEnded(trailers: Fields | undefined): void {
    // A refusal during the body has changed the state already.
    if (this.state !== READING_BODY) return;
    this.state = ANSWERING;
    this.deadline = 0;
    this.exchange?.requestEnd(trailers);
  }

  /** Answers a request that could not be understood, and ends the connection: what follows cannot be told apart. */
  private refuse(code: number): void {
    const { status, detail } = malformation(code);
    const reason = code === HEAD_TOO_LARGE || code === TOO_MANY_FIELDS ? 'head_too_large' : 'malformed';
    this.refuseWith(status, detail, reason);
  }

  private refuseWith(status: number, detail: string, reason: RefusalReason): void {
    const { core, info } = this.context;
    core.observer.refused?.(reason, info.remoteAddress);
    core.log.debug({ client: info.remoteAddress, status, detail }, 'refused a request');
    this.keepAlive = false;
    this.state = CLOSING;
    const { outgoing, body } = outgoingAnswer(plainAnswer(status, detail), false);
    this.answer(outgoing, false);
    this.data(body, 0, body.length);
    this.finish(undefined);
    this.flush();
  }

  // Answers.

  get isFull(): boolean {
    return this.wire.isBusy;
  }
  notifyDrain(): void {
    this.wire.wantsDrain = true;
  }
  drained(): void {
    this.exchange?.clientDrained();
  }
  pauseBody(): void {
    this.bodyPaused = true;
    this.wire.pause();
  }
  resumeBody(): void {
    this.bodyPaused = false;
    if (this.state === READING_BODY) this.wire.resume();
  }

  interim(head: Head): void {
    if (this.head.version === 0) return;
    const room = gatherRoom(this.wire, head.fieldsEnd + 256);
    if (room === undefined) return;
    gathered(writeInterimHead(room, gatheredAt(), head));
    sendGathered();
  }

  answer(answer: OutgoingAnswer, ended: boolean): void {
    const streamed = answer.body === 'stream';
    this.chunks = streamed && this.head.version === 1;
    // An HTTP/1.0 client learns the end of a streamed body from the end of the connection.
    if ((streamed && !this.chunks) || this.state === READING_BODY) this.keepAlive = false;
    this.writeHead(answer, this.keepAlive ? (this.head.version === 1 ? 'default' : 'keep-alive') : 'close');
    if (ended) this.answered = true;
  }

  private writeHead(answer: OutgoingAnswer, connection: 'close' | 'keep-alive' | 'default'): void {
    const room = gatherRoom(this.wire, answerHeadRoom(answer));
    if (room === undefined) {
      this.cut();
      return;
    }
    const framing = this.chunks ? 'chunked' : answer.body === 'empty' ? 'empty' : 'as-is';
    gathered(writeAnswerHead(room, gatheredAt(), answer, framing, connection));
  }

  data(bytes: Buffer, start: number, end: number): void {
    const octets = end - start;
    if (octets === 0) return;
    const { wire } = this;
    if (octets > COPIED_AT_MOST && !this.chunks && !isGathering(wire)) {
      wire.write(bytes, start, end);
      return;
    }
    const room = gatherRoom(wire, octets + 12);
    if (room === undefined) {
      // More at once than an upstream's buffer ever holds.
      const middle = start + (octets >> 1);
      this.data(bytes, start, middle);
      this.data(bytes, middle, end);
      return;
    }
    const at = gatheredAt();
    gathered(this.chunks ? writeChunk(room, at, bytes, start, end) : at + bytes.copy(room, at, start, end));
  }

  finish(trailers: Fields | undefined): void {
    this.answered = true;
    if (!this.chunks) return;
    const last = lastChunk(trailers);
    const room = gatherRoom(this.wire, last.length)!;
    last.copy(room, gatheredAt());
    gathered(gatheredAt() + last.length);
  }

  flush(): void {
    if (isGathering(this.wire)) sendGathered();
    if (this.answered) this.next();
  }

  /** After an answer: the next request, or the end. */
  private next(): void {
    this.answered = false;
    this.exchange = undefined;
    this.reader = undefined;
    const { core } = this.context;
    if (!this.keepAlive || this.state !== ANSWERING) {
      this.state = CLOSING;
      this.deadline = core.clock.now() + LINGER_MS;
      this.held = undefined;
      this.wire.resume();
      this.wire.end();
      return;
    }
    this.state = READING_HEAD;
    this.deadline = core.clock.now() + this.limits.idleMs;
    const { held } = this;
    if (held !== undefined && !this.processing) {
      this.held = undefined;
      this.process(held, 0, held.length, true);
    }
    if (this.state !== ANSWERING || this.held === undefined) this.wire.resume();
  }

  cut(): void {
    if (isGathering(this.wire)) sendGathered();
    this.destroy();
  }

  upgrade(answer: OutgoingAnswer, upstream: UpstreamSide): void {
    const { exchange, held } = this;
    const wire = upstream.detach?.();
    if (wire === undefined || exchange === undefined) {
      this.destroy();
      return;
    }
    this.state = TUNNEL;
    this.chunks = false;
    const room = gatherRoom(this.wire, answerHeadRoom(answer) + 64);
    if (room === undefined) {
      this.destroy();
      return;
    }
    gathered(writeUpgradeHead(room, gatheredAt(), answer));
    sendGathered();
    this.tunnel = new Tunnel(this.wire, wire, exchange, () => this.owner.closed(this));
    this.held = undefined;
    if (held !== undefined) this.wire.deliver(held, 0, held.length);
  }

  // Ends.

  ended(): void {
    this.exchange?.clientGone();
    this.exchange = undefined;
    this.wire.end();
  }

  closed(_error: Error | undefined): void {
    const { exchange } = this;
    this.exchange = undefined;
    this.state = CLOSING;
    exchange?.clientGone();
    this.owner.closed(this);
  }

  destroy(): void {
    if (this.tunnel !== undefined) this.tunnel.cut();
    else this.wire.destroy();
  }

  /** No new requests; what is under way ends in its time. */
  drain(): void {
    this.keepAlive = false;
    if (this.state !== READING_HEAD || this.held !== undefined) return;
    // A connection that was accepted a moment ago has its first request on the way.
    if (this.requests === 0) this.deadline = Math.min(this.deadline, this.context.core.clock.now() + FIRST_REQUEST_MS);
    else this.wire.end();
  }

  tick(now: number): void {
    if (this.tunnel !== undefined) {
      this.tunnel.tick(now, this.exchange?.tunnelIdleMs ?? this.limits.upstream.idleMs);
      return;
    }
    this.exchange?.tick(now);
    if (this.deadline === 0 || now < this.deadline) return;
    if (this.state === READING_BODY) {
      if (this.bodyTouched || this.bodyPaused) {
        this.bodyTouched = false;
        this.deadline = now + this.limits.bodyMs;
        return;
      }
      this.exchange?.clientGone('the body came too slowly');
      this.exchange = undefined;
      this.refuseWith(408, 'the body came too slowly', 'slow_body');
    } else if (this.state === READING_HEAD && this.held !== undefined) {
      this.refuseWith(408, 'the head came too slowly', 'slow_head');
    } else this.destroy();
  }
}
