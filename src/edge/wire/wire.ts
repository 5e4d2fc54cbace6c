import { keep } from './slab.ts';
import type { WireSocket } from './wire-socket.ts';

/** With more than this not sent, who writes should wait. */
export const HIGH_WATER = 256 * 1024;

export interface WireHandler {
  /** `bytes[start, end)` came; a plain upstream socket overwrites them after the call. */
  received(bytes: Buffer, start: number, end: number): void;
  /** Nothing more will be received. */
  ended(): void;
  /** What was written has left, after `wantsDrain`. */
  drained(): void;
  /** The last call. */
  closed(error: Error | undefined): void;
}

/** The part of a stream handle that is used when it is there; see docs/decisions/0400. */
interface ReadHandle {
  onread: (this: unknown, memory: ArrayBuffer | undefined) => unknown;
  reading: boolean;
  readStart(): number;
  readStop(): number;
}
type DirectWrite = (bytes: Buffer, encoding: 'buffer', done: (error?: Error | null) => void) => void;

/**
 * A socket without the streams machinery around it: bytes in by one call, bytes out in order with at most one write
 * under way, what comes meanwhile gathered into the next. Falls back to plain stream methods for anything that is not
 * a socket of Node's own.
 */
export class Wire {
  readonly socket: WireSocket;
  /** Bytes accepted and not yet sent. */
  backlog = 0;
  /** Set by who waits for the backlog to leave; asks for one `drained`. */
  wantsDrain = false;
  isClosed = false;
  private handler: WireHandler;
  private readonly handle: ReadHandle | undefined;
  private readonly direct: DirectWrite | undefined;
  /** Whether bytes are encrypted (and so copied) before a write returns. */
  private readonly copies: boolean;
  private writing = 0;
  private pending: Buffer[] = [];
  private ending = false;
  private paused = false;
  private failure: Error | undefined;
  private readonly written: (error?: Error | null) => void;

  constructor(socket: WireSocket, handler: WireHandler) {
    this.socket = socket;
    this.handler = handler;
    // What `TLSSocket` documents to be told by.
    this.copies = (socket as { encrypted?: boolean }).encrypted === true;
    const inner = socket as unknown as { _handle?: Partial<ReadHandle> | null; _write?: DirectWrite };
    const handle = inner._handle ?? undefined;
    const known =
      typeof handle?.onread === 'function' &&
      typeof handle.readStart === 'function' &&
      typeof handle.readStop === 'function';
    this.handle = known ? (handle as ReadHandle) : undefined;
    this.direct = known && typeof inner._write === 'function' ? inner._write : undefined;
    this.written = (error) => this.afterWrite(error);
    socket.on('error', (error: Error) => {
      this.failure = error;
    });
    socket.on('end', () => this.handler.ended());
    socket.on('close', () => {
      this.isClosed = true;
      this.pending = [];
      this.handler.closed(this.failure);
    });
  }

  get isFull(): boolean {
    return this.backlog > HIGH_WATER;
  }

  /** What is written now has to wait, and so to be copied: better read it later. */
  get isBusy(): boolean {
    return this.copies ? this.writing > 0 : this.isFull;
  }

  /** Hands the wire to another owner, as after an upgrade. */
  become(handler: WireHandler): void {
    this.handler = handler;
  }

  /** For sockets that bring their own read callback (net.connect's `onread`) instead of `start`, and for what the owner before left. */
  deliver(bytes: Buffer, start: number, end: number): void {
    this.handler.received(bytes, start, end);
  }

  /** Starts reading. */
  start(): void {
    const socket = this.socket;
    for (let early = socket.read() as Buffer | null; early !== null; early = socket.read() as Buffer | null) {
      this.handler.received(early, 0, early.length);
    }
    const handle = this.handle;
    if (handle === undefined) {
      socket.on('data', (bytes: Buffer) => this.handler.received(bytes, 0, bytes.length));
      return;
    }
    const original = handle.onread;
    const wire = this;
    handle.onread = function (memory) {
      if (memory === undefined) return original.call(this, memory);
      const bytes = Buffer.from(memory);
      wire.handler.received(bytes, 0, bytes.length);
      return undefined;
    };
    if (!this.paused && !this.isClosed && !socket.destroyed) {
      handle.reading = true;
      handle.readStart();
    }
  }

  pause(): void {
    if (this.paused || this.isClosed || this.socket.destroyed) return;
    this.paused = true;
    if (this.handle === undefined) this.socket.pause();
    else {
      this.handle.reading = false;
      this.handle.readStop();
    }
  }

  resume(): void {
    if (!this.paused || this.isClosed || this.socket.destroyed) return;
    this.paused = false;
    if (this.handle === undefined) this.socket.resume();
    else {
      this.handle.reading = true;
      this.handle.readStart();
    }
  }

  /** Sends bytes that stay as they are until sent (from the slab, or received and kept). */
  write(bytes: Buffer): void {
    if (this.isClosed || this.ending || bytes.length === 0) return;
    this.backlog += bytes.length;
    if (this.writing > 0) this.pending.push(bytes);
    else this.send(bytes);
  }

  /** Sends bytes that the caller may overwrite afterwards. */
  writeBorrowed(bytes: Buffer, start: number, end: number): void {
    if (this.isClosed || this.ending || end <= start) return;
    if (this.writing > 0 || !this.copies) {
      this.write(keep(bytes, start, end));
      return;
    }
    this.backlog += end - start;
    this.send(start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end));
  }

  private send(bytes: Buffer): void {
    this.writing = bytes.length;
    if (this.direct === undefined) this.socket.write(bytes, this.written);
    else this.direct.call(this.socket, bytes, 'buffer', this.written);
  }

  private afterWrite(error?: Error | null): void {
    this.backlog -= this.writing;
    this.writing = 0;
    if (error) {
      this.failure = error;
      this.socket.destroy();
      return;
    }
    const { pending } = this;
    if (pending.length > 0) {
      this.pending = [];
      this.send(pending.length === 1 ? pending[0]! : Buffer.concat(pending));
      return;
    }
    if (this.ending) this.socket.end();
    else if (this.wantsDrain && !this.isClosed) {
      this.wantsDrain = false;
      this.handler.drained();
    }
  }

  /** Ends our side once everything is sent. */
  end(): void {
    if (this.ending || this.isClosed) return;
    this.ending = true;
    if (this.writing === 0) this.socket.end();
  }

  destroy(error?: Error): void {
    if (error !== undefined) this.failure ??= error;
    this.socket.destroy();
  }
}
