import type { Head } from '../message/head.ts';
import { AbuseCount, type AbuseLimits } from './abuse.ts';
import { fieldsCopy, HeadBuilder, returnHead, takeHead } from './build-head.ts';
import { FrameReader, unpad } from './frame-reader.ts';
import * as h2 from './frames.ts';
import { HpackDecoder, MOST_BLOCK_BYTES } from './hpack-decoder.ts';
import { applySettings } from './peer-settings.ts';
import { Sender } from './sender.ts';
import { Stream } from './stream.ts';

export interface SessionOptions {
  readonly role: 'server' | 'client';
  /** Streams that the peer may have open at once. */
  readonly streams: number;
  readonly streamWindow: number;
  readonly connectionWindow: number;
  readonly headBytes: number;
  readonly headerCount: number;
  readonly abuse: AbuseLimits;
}

/** Who owns the connection. */
export interface SessionOwner {
  /** On a server: a new stream with a request. `ended`: it has no body. `tooLarge`: it must be refused with 431. */
  request(stream: Stream, head: Head, ended: boolean, tooLarge: boolean): void;
  /** Something waits to be taken from `sender`, for the first time since it was taken last. */
  wantsFlush(): void;
  /** The peer will not answer streams above `last`. */
  goaway(last: number, code: number): void;
  /** The peer's settings are known or changed. */
  settings(): void;
  /** A stream is over on both sides; its place is free. */
  streamClosed(stream: Stream): void;
}

const REMEMBERED_STREAMS = 256;
const MOST_CONTINUATIONS = 32;
const TABLE_SIZE = 4_096;

/**
 * One HTTP/2 connection (RFC 9113) as a state machine without input and output: octets go in by `receive`, octets come
 * out of `sender`, and owners of streams are told. Either role.
 */
export class Session {
  readonly sender: Sender;
  readonly streams = new Map<number, Stream>();
  readonly options: SessionOptions;
  readonly owner: SessionOwner;
  readonly abuse: AbuseCount;
  /** Highest stream that the peer opened. */
  lastStream = 0;
  peerStreams = 100;
  initialSendWindow = h2.DEFAULT_WINDOW;
  private nextStream = 1;
  private readonly reader: FrameReader;
  private readonly decoder = new HpackDecoder(TABLE_SIZE);
  private readonly builder = new HeadBuilder();
  private readonly server: boolean;
  private receiveWindow: number;
  private taken = 0;
  private sawSettings = false;
  private goneAway = false;
  /** Streams that ended not long ago, so that late frames are told from wrong ones. */
  private readonly recent = new Map<number, 'ours' | 'theirs'>();
  private headersOf = 0;
  private headersEnded = false;
  private pieces: Buffer[] = [];
  private piecesLength = 0;

  constructor(options: SessionOptions, owner: SessionOwner) {
    this.options = options;
    this.owner = owner;
    this.server = options.role === 'server';
    this.abuse = new AbuseCount(options.abuse);
    this.reader = new FrameReader(this.server, h2.DEFAULT_FRAME_SIZE);
    this.receiveWindow = options.connectionWindow;
    this.sender = new Sender(
      () => owner.wantsFlush(),
      (stream) => this.ownEnd(stream),
    );
  }

  start(): void {
    const { options, sender } = this;
    if (!this.server) sender.raw(h2.PREFACE);
    sender.settings([
      ...(this.server ? ([[h2.MAX_CONCURRENT_STREAMS, options.streams]] as const) : ([[h2.ENABLE_PUSH, 0]] as const)),
      [h2.INITIAL_WINDOW_SIZE, options.streamWindow],
      [h2.MAX_HEADER_LIST_SIZE, options.headBytes],
    ]);
    sender.windowUpdate(0, options.connectionWindow - h2.DEFAULT_WINDOW);
  }

  /** Returns 0, or the code with which the connection must end (`fail` has been called). */
  receive(bytes: Buffer, start: number, end: number): number {
    const code = this.reader.read(bytes, start, end, this);
    if (code !== 0) this.fail(code);
    return code;
  }

  /** GOAWAY with the reason; the owner ends the connection once that has left. */
  fail(code: number): void {
    if (this.goneAway && code === h2.NO_ERROR) return;
    this.goneAway = true;
    this.sender.goaway(this.lastStream, code);
  }

  /** No more streams from the peer; those that are open go on. */
  drain(): void {
    this.fail(h2.NO_ERROR);
  }

  /** On a client: a new stream, or undefined when the peer allows no more. */
  open(): Stream | undefined {
    if (this.streams.size >= this.peerStreams || this.nextStream > h2.LARGEST_WINDOW) return undefined;
    const stream = new Stream(this.nextStream, this.initialSendWindow, this.options.streamWindow);
    this.nextStream += 2;
    this.streams.set(stream.id, stream);
    return stream;
  }

  /** Ends a stream at once. */
  reset(stream: Stream, code: number): void {
    if (!this.streams.has(stream.id)) return;
    this.sender.reset(stream.id, code);
    this.remove(stream, true);
  }

  /** The owner of a stream has taken octets: the peer may send as many more. */
  consumed(stream: Stream, octets: number): void {
    const { options, sender } = this;
    this.taken += octets;
    if (this.taken >= options.connectionWindow / 2) {
      sender.windowUpdate(0, this.taken);
      this.receiveWindow += this.taken;
      this.taken = 0;
    }
    stream.taken += octets;
    if (stream.taken >= options.streamWindow / 2 && !stream.remoteEnded && this.streams.has(stream.id)) {
      sender.windowUpdate(stream.id, stream.taken);
      stream.receiveWindow += stream.taken;
      stream.taken = 0;
    }
  }

  frame(type: number, flags: number, id: number, bytes: Buffer, start: number, end: number): number {
    // §3.4: SETTINGS come first. §6.10: nothing comes between the frames of a block.
    if (!this.sawSettings && (type !== h2.SETTINGS || (flags & h2.ACK) !== 0)) return h2.PROTOCOL_ERROR;
    if (this.headersOf !== 0 && (type !== h2.CONTINUATION || id !== this.headersOf)) return h2.PROTOCOL_ERROR;
    switch (type) {
      case h2.DATA:
        return this.onData(flags, id, bytes, start, end);
      case h2.HEADERS:
        return this.onHeaders(flags, id, bytes, start, end);
      case h2.CONTINUATION:
        return this.onContinuation(flags, bytes, start, end);
      case h2.WINDOW_UPDATE:
        return this.onWindowUpdate(id, bytes, start, end);
      case h2.RST_STREAM:
        return this.onReset(id, bytes, start, end);
      case h2.SETTINGS:
        return this.onSettings(flags, id, bytes, start, end);
      case h2.PING:
        return this.onPing(flags, id, bytes, start, end);
      case h2.PRIORITY:
        return this.onPriority(id, bytes, start, end);
      case h2.GOAWAY:
        if (id !== 0) return h2.PROTOCOL_ERROR;
        if (end - start < 8) return h2.FRAME_SIZE_ERROR;
        this.owner.goaway(h2.readUint32(bytes, start) & 0x7fffffff, h2.readUint32(bytes, start + 4));
        return 0;
      case h2.PUSH_PROMISE:
        return h2.PROTOCOL_ERROR;
      default:
        // §5.5: unknown types are passed over.
        return this.control();
    }
  }

  private control(): number {
    return this.abuse.controlFrame() ? h2.ENHANCE_YOUR_CALM : 0;
  }

  /** A frame for a stream that is not open: late, or wrong. */
  private isIdle(id: number): boolean {
    const ours = (id & 1) === (this.server ? 0 : 1);
    return ours ? id >= this.nextStream : id > this.lastStream;
  }

  private onData(flags: number, id: number, bytes: Buffer, start: number, end: number): number {
    if (id === 0) return h2.PROTOCOL_ERROR;
    const length = end - start;
    const stream = this.streams.get(id);
    if (stream === undefined && this.isIdle(id)) return h2.PROTOCOL_ERROR;
    this.receiveWindow -= length;
    if (this.receiveWindow < 0) return h2.FLOW_CONTROL_ERROR;
    const payload = unpad(flags, bytes, start, end);
    if (payload === undefined) return h2.PROTOCOL_ERROR;
    if (stream === undefined || stream.remoteEnded) return this.lateData(stream, id, length);
    stream.receiveWindow -= length;
    if (stream.receiveWindow < 0) return this.streamError(stream, h2.FLOW_CONTROL_ERROR);
    const octets = payload.end - payload.start;
    const ended = (flags & h2.END_STREAM) !== 0;
    if (octets > 0) this.abuse.useful();
    else if (!ended && this.abuse.controlFrame()) return h2.ENHANCE_YOUR_CALM;
    stream.receivedOctets += octets;
    const { declared, receivedOctets } = stream;
    // RFC 9113 §8.1.1.
    if (declared >= 0 && (receivedOctets > declared || (ended && receivedOctets !== declared))) {
      return this.streamError(stream, h2.PROTOCOL_ERROR);
    }
    if (length > octets) this.consumed(stream, length - octets);
    if (octets > 0) stream.owner?.data(bytes, payload.start, payload.end);
    if (ended) this.remoteEnd(stream);
    return 0;
  }

  /** Data for a stream that is over still counts against the connection's window. */
  private lateData(stream: Stream | undefined, id: number, length: number): number {
    this.taken += length;
    if (this.taken >= this.options.connectionWindow / 2) {
      this.sender.windowUpdate(0, this.taken);
      this.receiveWindow += this.taken;
      this.taken = 0;
    }
    if (stream !== undefined) return this.streamError(stream, h2.STREAM_CLOSED);
    const closedBy = this.recent.get(id);
    // It may have been on its way when we reset the stream.
    if (closedBy === 'ours') return this.control();
    if (closedBy === undefined) return h2.STREAM_CLOSED;
    this.sender.reset(id, h2.STREAM_CLOSED);
    return this.abuse.reset() ? h2.ENHANCE_YOUR_CALM : 0;
  }

  private remoteEnd(stream: Stream, head?: Head): void {
    stream.remoteEnded = true;
    stream.owner?.ended(head === undefined || head.count === 0 ? undefined : fieldsCopy(head));
    this.closeIfOver(stream);
  }

  /** A head of ours ended our side. */
  ownSideEnded(stream: Stream): void {
    stream.localEnded = true;
    this.ownEnd(stream);
  }

  private ownEnd(stream: Stream): void {
    // §8.1: a server that has answered needs no more of the request.
    if (this.server && !stream.remoteEnded) this.reset(stream, h2.NO_ERROR);
    else this.closeIfOver(stream);
  }

  private closeIfOver(stream: Stream): void {
    if (stream.remoteEnded && stream.localEnded) this.remove(stream);
  }

  private remove(stream: Stream, weReset = false): void {
    if (!this.streams.delete(stream.id)) return;
    this.sender.forget(stream);
    // Whether the peer may still have sent for it without knowing that it is over.
    this.recent.set(stream.id, stream.remoteEnded || !weReset ? 'theirs' : 'ours');
    if (this.recent.size > REMEMBERED_STREAMS) this.recent.delete(this.recent.keys().next().value!);
    this.owner.streamClosed(stream);
  }

  /** RST_STREAM of ours for the peer's mistake. */
  private streamError(stream: Stream, code: number): number {
    const { owner } = stream;
    this.reset(stream, code);
    owner?.reset(code);
    return this.abuse.reset() ? h2.ENHANCE_YOUR_CALM : 0;
  }

  private onHeaders(flags: number, id: number, bytes: Buffer, start: number, end: number): number {
    if (id === 0) return h2.PROTOCOL_ERROR;
    const payload = unpad(flags, bytes, start, end);
    if (payload === undefined) return h2.PROTOCOL_ERROR;
    let from = payload.start;
    if ((flags & h2.HAS_PRIORITY) !== 0) {
      if (payload.end - from < 5) return h2.FRAME_SIZE_ERROR;
      // §5.3.1: a stream cannot depend on itself.
      if ((h2.readUint32(bytes, from) & 0x7fffffff) === id) return h2.PROTOCOL_ERROR;
      from += 5;
    }
    this.headersEnded = (flags & h2.END_STREAM) !== 0;
    if ((flags & h2.END_HEADERS) !== 0) return this.block(id, bytes, from, payload.end);
    this.headersOf = id;
    this.pieces = [Buffer.from(bytes.subarray(from, payload.end))];
    this.piecesLength = payload.end - from;
    return 0;
  }

  private onContinuation(flags: number, bytes: Buffer, start: number, end: number): number {
    if (this.headersOf === 0) return h2.PROTOCOL_ERROR;
    this.pieces.push(Buffer.from(bytes.subarray(start, end)));
    this.piecesLength += end - start;
    if (this.pieces.length > MOST_CONTINUATIONS || this.piecesLength > MOST_BLOCK_BYTES) return h2.ENHANCE_YOUR_CALM;
    if ((flags & h2.END_HEADERS) === 0) return 0;
    const block = Buffer.concat(this.pieces);
    const id = this.headersOf;
    this.headersOf = 0;
    this.pieces = [];
    return this.block(id, block, 0, block.length);
  }

  /** A whole header block. It is decoded whatever becomes of it, since later ones build on it. */
  private block(id: number, bytes: Buffer, start: number, end: number): number {
    const head = takeHead();
    const { builder, options } = this;
    builder.begin(head, options.headBytes, options.headerCount);
    if (!this.decoder.decode(bytes, start, end, builder)) return h2.COMPRESSION_ERROR;
    const stream = this.streams.get(id);
    if (stream !== undefined) return this.nextBlock(stream, head);
    if (!this.server) {
      returnHead(head);
      return this.isIdle(id) ? h2.PROTOCOL_ERROR : this.control();
    }
    if ((id & 1) === 0) return h2.PROTOCOL_ERROR;
    if (id <= this.lastStream) return this.recent.has(id) ? h2.STREAM_CLOSED : h2.PROTOCOL_ERROR;
    if (this.goneAway) return 0;
    this.lastStream = id;
    this.abuse.useful();
    return this.newStream(id, head);
  }

  private newStream(id: number, head: Head): number {
    const { builder, options } = this;
    const stream = new Stream(id, this.initialSendWindow, options.streamWindow);
    this.streams.set(id, stream);
    if (this.streams.size > options.streams) return this.streamError(stream, h2.REFUSED_STREAM);
    if (builder.tooLarge ? builder.malformed : !builder.finishRequest()) {
      return this.streamError(stream, h2.PROTOCOL_ERROR);
    }
    const ended = this.headersEnded;
    stream.remoteEnded = ended;
    stream.declared = head.contentLength;
    if (ended && head.contentLength > 0) return this.streamError(stream, h2.PROTOCOL_ERROR);
    this.owner.request(stream, head, ended, builder.tooLarge);
    return 0;
  }

  /** On a client an answer's head; on either side trailers. */
  private nextBlock(stream: Stream, head: Head): number {
    const ended = this.headersEnded;
    if (stream.remoteEnded) return this.streamError(stream, h2.STREAM_CLOSED);
    const { builder } = this;
    if (builder.tooLarge) return this.streamError(stream, h2.ENHANCE_YOUR_CALM);
    if (!this.server && !stream.sawHead) {
      if (!builder.finishAnswer()) return this.streamError(stream, h2.PROTOCOL_ERROR);
      // An interim answer is not the end, and has no body.
      const interim = head.status < 200;
      if (interim && (ended || head.status === 101)) return this.streamError(stream, h2.PROTOCOL_ERROR);
      stream.sawHead = !interim;
      if (!interim) stream.declared = ended ? -1 : head.contentLength;
      stream.remoteEnded = ended;
      stream.owner?.head(head, ended);
      this.closeIfOver(stream);
    } else {
      if (!ended || !builder.finishTrailers()) return this.streamError(stream, h2.PROTOCOL_ERROR);
      if (stream.declared >= 0 && stream.receivedOctets !== stream.declared) {
        return this.streamError(stream, h2.PROTOCOL_ERROR);
      }
      this.remoteEnd(stream, head);
    }
    returnHead(head);
    return 0;
  }

  private onWindowUpdate(id: number, bytes: Buffer, start: number, end: number): number {
    if (end - start !== 4) return h2.FRAME_SIZE_ERROR;
    const octets = h2.readUint32(bytes, start) & 0x7fffffff;
    if (this.abuse.controlFrame()) return h2.ENHANCE_YOUR_CALM;
    const { sender } = this;
    if (id === 0) {
      if (octets === 0) return h2.PROTOCOL_ERROR;
      sender.window += octets;
      if (sender.window > h2.LARGEST_WINDOW) return h2.FLOW_CONTROL_ERROR;
    } else {
      const stream = this.streams.get(id);
      if (stream === undefined) return this.isIdle(id) ? h2.PROTOCOL_ERROR : 0;
      if (octets === 0) return this.streamError(stream, h2.PROTOCOL_ERROR);
      stream.sendWindow += octets;
      if (stream.sendWindow > h2.LARGEST_WINDOW) return this.streamError(stream, h2.FLOW_CONTROL_ERROR);
    }
    sender.pump();
    return 0;
  }

  private onReset(id: number, bytes: Buffer, start: number, end: number): number {
    if (id === 0) return h2.PROTOCOL_ERROR;
    if (end - start !== 4) return h2.FRAME_SIZE_ERROR;
    const stream = this.streams.get(id);
    if (stream === undefined) return this.isIdle(id) ? h2.PROTOCOL_ERROR : this.control();
    const { owner } = stream;
    this.remove(stream);
    owner?.reset(h2.readUint32(bytes, start));
    return this.server && this.abuse.reset() ? h2.ENHANCE_YOUR_CALM : 0;
  }

  private onSettings(flags: number, id: number, bytes: Buffer, start: number, end: number): number {
    if (id !== 0) return h2.PROTOCOL_ERROR;
    if ((flags & h2.ACK) !== 0) return end === start ? this.control() : h2.FRAME_SIZE_ERROR;
    if ((end - start) % 6 !== 0) return h2.FRAME_SIZE_ERROR;
    this.sawSettings = true;
    if (this.abuse.controlFrame()) return h2.ENHANCE_YOUR_CALM;
    const code = applySettings(this, bytes, start, end);
    if (code !== 0) return code;
    this.sender.settingsAck();
    this.owner.settings();
    this.sender.pump();
    return 0;
  }

  private onPing(flags: number, id: number, bytes: Buffer, start: number, end: number): number {
    if (id !== 0) return h2.PROTOCOL_ERROR;
    if (end - start !== 8) return h2.FRAME_SIZE_ERROR;
    if ((flags & h2.ACK) === 0) this.sender.pingAck(bytes, start);
    return this.control();
  }

  /** §5.3.2: signals of priority are read and not followed. */
  private onPriority(id: number, bytes: Buffer, start: number, end: number): number {
    if (id === 0) return h2.PROTOCOL_ERROR;
    const stream = this.streams.get(id);
    const wrong =
      end - start !== 5
        ? h2.FRAME_SIZE_ERROR
        : (h2.readUint32(bytes, start) & 0x7fffffff) === id
          ? h2.PROTOCOL_ERROR
          : 0;
    if (wrong === 0) return this.control();
    return stream === undefined ? wrong : this.streamError(stream, wrong);
  }
}
