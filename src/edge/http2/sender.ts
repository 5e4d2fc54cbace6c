import { NEVER_TRAILERS } from '../http1/write-head.ts';
import type { Fields } from '../message/head.ts';
import { BLOCK_BYTES, BlockQueue, returnBlock, takeBlock, takeLarge } from '../wire/blocks.ts';
import {
  ACK,
  CONTINUATION,
  DATA,
  DEFAULT_FRAME_SIZE,
  DEFAULT_WINDOW,
  END_HEADERS,
  END_STREAM,
  FRAME_HEAD,
  GOAWAY,
  HEADERS,
  PING,
  RST_STREAM,
  SETTINGS,
  WINDOW_UPDATE,
  writeFrameHead,
} from './frames.ts';
import { HpackEncoder } from './hpack-encoder.ts';
import type { Stream } from './stream.ts';

const DEFAULT_TABLE = 4_096;

/** What waits for the wire above this keeps data in its stream's queue, where flow control can be felt. */
const HIGH_OUTPUT = 256 * 1024;

/** Header blocks are put together here before they are cut into frames. */
export const blockScratch = Buffer.allocUnsafeSlow(256 * 1024);

/**
 * Frames on their way out: everything of one turn is put together in one block and leaves as one write. Holds the send
 * side of flow control (RFC 9113 §5.2); what windows do not allow yet waits in its stream, and streams take turns.
 */
export class Sender {
  /** The connection's window. */
  window = DEFAULT_WINDOW;
  maxFrameSize = DEFAULT_FRAME_SIZE;
  /** Octets that the wire has taken and not sent; set by who owns the wire. */
  wireBacklog = 0;
  used = 0;
  readonly encoder = new HpackEncoder(DEFAULT_TABLE);
  /** The DATA frame that was written last, as long as nothing came after it. */
  private lastData: Stream | undefined;
  private lastDataAt = 0;
  private block: Buffer | undefined;
  private readonly waiting = new Set<Stream>();
  private readonly wantsFlush: () => void;
  /** Called when a stream's own end has left. */
  private readonly finished: (stream: Stream) => void;

  constructor(wantsFlush: () => void, finished: (stream: Stream) => void) {
    this.wantsFlush = wantsFlush;
    this.finished = finished;
  }

  /** Room for `length` octets at `used`. */
  private room(length: number): Buffer {
    this.lastData = undefined;
    let { block } = this;
    if (block === undefined) {
      block = length > BLOCK_BYTES ? takeLarge(length) : takeBlock();
      this.block = block;
      this.wantsFlush();
    } else if (this.used + length > block.length) {
      const larger = takeLarge(this.used + length);
      block.copy(larger, 0, 0, this.used);
      returnBlock(block);
      block = larger;
      this.block = block;
    }
    return block;
  }

  /** What has gathered, `used` octets of it, or undefined. The caller returns the block once it is written. */
  take(): Buffer | undefined {
    const { block } = this;
    this.block = undefined;
    this.lastData = undefined;
    return block;
  }

  headers(id: number, block: Buffer, length: number, ended: boolean): void {
    const most = this.maxFrameSize;
    const out = this.room(length + FRAME_HEAD * (1 + Math.floor(length / most)));
    let from = 0;
    let type = HEADERS;
    do {
      const piece = Math.min(most, length - from);
      const last = from + piece === length;
      const flags = (last ? END_HEADERS : 0) | (type === HEADERS && ended ? END_STREAM : 0);
      const at = writeFrameHead(out, this.used, piece, type, flags, id);
      block.copy(out, at, from, from + piece);
      this.used = at + piece;
      from += piece;
      type = CONTINUATION;
    } while (from < length);
  }

  /** Octets of a body; what cannot leave now is copied. */
  data(stream: Stream, bytes: Buffer, start: number, end: number): void {
    let at = start;
    if (stream.queued === 0) {
      while (at < end) {
        const piece = this.allowed(stream, end - at);
        if (piece <= 0) break;
        this.dataFrame(stream, bytes, at, at + piece, false);
        at += piece;
      }
    }
    if (at < end) {
      stream.queue ??= new BlockQueue();
      stream.queue.push(bytes, at, end);
      stream.queued += end - at;
      this.waiting.add(stream);
    }
  }

  private allowed(stream: Stream, wanted: number): number {
    if (this.used + this.wireBacklog > HIGH_OUTPUT) return 0;
    return Math.min(wanted, this.window, stream.sendWindow, this.maxFrameSize);
  }

  private dataFrame(stream: Stream, bytes: Buffer, start: number, end: number, ended: boolean): void {
    const length = end - start;
    const out = this.room(length + FRAME_HEAD);
    const at = writeFrameHead(out, this.used, length, DATA, ended ? END_STREAM : 0, stream.id);
    bytes.copy(out, at, start, end);
    this.lastData = stream;
    this.lastDataAt = this.used;
    this.used = at + length;
    this.window -= length;
    stream.sendWindow -= length;
  }

  /** The end of our side, after what is queued. */
  end(stream: Stream, trailers: Fields | undefined): void {
    stream.endQueued = true;
    stream.trailers = trailers;
    if (stream.queued === 0) this.writeEnd(stream);
  }

  private writeEnd(stream: Stream): void {
    stream.endQueued = false;
    const { trailers } = stream;
    if (trailers !== undefined && trailers.count > 0) this.trailers(stream.id, trailers);
    else if (this.lastData === stream) this.block![this.lastDataAt + 4]! |= END_STREAM;
    else this.dataFrame(stream, blockScratch, 0, 0, true);
    stream.localEnded = true;
    this.finished(stream);
  }

  private trailers(id: number, trailers: Fields): void {
    const start = this.encoder.begin(blockScratch, 0);
    this.headers(id, blockScratch, this.encoder.fields(blockScratch, start, trailers, NEVER_TRAILERS), true);
  }

  /** Sends what waits as far as windows and wire allow, a frame of each stream in turn. */
  pump(): void {
    let moved = true;
    while (moved && this.waiting.size > 0) {
      moved = false;
      for (const stream of this.waiting) if (this.pumpOne(stream)) moved = true;
    }
  }

  private pumpOne(stream: Stream): boolean {
    const { queue } = stream;
    const next = queue?.first;
    if (queue === undefined || next === undefined) {
      this.waiting.delete(stream);
      return false;
    }
    const piece = this.allowed(stream, next.used - next.at);
    if (piece <= 0) return false;
    this.dataFrame(stream, next.block, next.at, next.at + piece, false);
    next.at += piece;
    stream.queued -= piece;
    if (next.at === next.used) {
      queue.shift();
      returnBlock(next.block);
    }
    if (stream.queued === 0) {
      this.waiting.delete(stream);
      if (stream.endQueued) this.writeEnd(stream);
      else if (stream.wantsDrain) {
        stream.wantsDrain = false;
        stream.owner?.drained();
      }
    }
    return true;
  }

  forget(stream: Stream): void {
    this.waiting.delete(stream);
    stream.queue?.clear();
    stream.queued = 0;
  }

  raw(bytes: Buffer): void {
    const out = this.room(bytes.length);
    this.used += bytes.copy(out, this.used);
  }

  settings(entries: readonly (readonly [number, number])[]): void {
    const out = this.room(FRAME_HEAD + entries.length * 6);
    let at = writeFrameHead(out, this.used, entries.length * 6, SETTINGS, 0, 0);
    for (const [id, value] of entries) {
      at = out.writeUInt16BE(id, at);
      at = out.writeUInt32BE(value, at);
    }
    this.used = at;
  }
  settingsAck(): void {
    this.used = writeFrameHead(this.room(FRAME_HEAD), this.used, 0, SETTINGS, ACK, 0);
  }
  pingAck(bytes: Buffer, start: number): void {
    const out = this.room(FRAME_HEAD + 8);
    const at = writeFrameHead(out, this.used, 8, PING, ACK, 0);
    this.used = at + bytes.copy(out, at, start, start + 8);
  }
  reset(id: number, code: number): void {
    const out = this.room(FRAME_HEAD + 4);
    this.used = out.writeUInt32BE(code, writeFrameHead(out, this.used, 4, RST_STREAM, 0, id));
  }
  windowUpdate(id: number, octets: number): void {
    const out = this.room(FRAME_HEAD + 4);
    this.used = out.writeUInt32BE(octets, writeFrameHead(out, this.used, 4, WINDOW_UPDATE, 0, id));
  }
  goaway(lastStream: number, code: number): void {
    const out = this.room(FRAME_HEAD + 8);
    const at = out.writeUInt32BE(lastStream, writeFrameHead(out, this.used, 8, GOAWAY, 0, 0));
    this.used = out.writeUInt32BE(code, at);
  }
}
