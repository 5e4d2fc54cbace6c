import { getSystemErrorName } from 'node:util';
import { nodeInside, type StreamHandle, type StreamRequest } from '../tls/node-inside.ts';
import { BlockQueue, returnBlock } from './blocks.ts';
import { atTurnEnd, type Gathering } from './turn.ts';
import type { WireSocket } from './wire-socket.ts';

/** With more than this not sent, who writes should wait. */
export const HIGH_WATER = 256 * 1024;

export interface WireHandler {
  /** `bytes[start, end)` came; they are overwritten after the call. */
  received(bytes: Buffer, start: number, end: number): void;
  /** Nothing more will be received. */
  ended(): void;
  /** What was written has left, after `wantsDrain`. */
  drained(): void;
  /** The last call. */
  closed(error: Error | undefined): void;
}

/**
 * All sockets read into these: what is received is parsed and handed on before the next read, so nothing is allocated
 * for it. Two, since what comes from a plain socket may be written to a TLS one meanwhile. OpenSSL gives a record at
 * a time, of 16 KiB at most.
 */
const PLAIN = Buffer.allocUnsafeSlow(256 * 1024);
const SECURE = Buffer.allocUnsafeSlow(64 * 1024);

interface Owned {
  wire: Wire | undefined;
}
type WireRequest = StreamRequest & Owned;

/** What is called of a handle, if it is one of Node's own and has all of that. */
function handleOf(socket: WireSocket): ReadHandle | undefined {
  const handle = (socket as { _handle?: Partial<ReadHandle> | null })._handle ?? undefined;
  if (nodeInside === undefined || handle === undefined) return undefined;
  const { onread, readStart, readStop, useUserBuffer, writeBuffer } = handle;
  const known = [onread, readStart, readStop, useUserBuffer, writeBuffer].every((part) => typeof part === 'function');
  return known ? (handle as ReadHandle) : undefined;
}

interface ReadHandle extends StreamHandle {
  /** From now on everything is read into this memory. */
  useUserBuffer(memory: Uint8Array): void;
}

/** A request that was not needed in the end, since its write was done at once. */
let spareRequest: WireRequest | undefined;

function completed(this: unknown, status: number): void {
  const request = this as Owned;
  const { wire } = request;
  request.wire = undefined;
  wire?.afterWrite(status < 0 ? errorOf(status) : undefined);
}

const errorOf = (status: number) => new Error(`write ${getSystemErrorName(status)}`);

/**
 * A socket without the streams machinery around it: bytes in by one call, bytes out in order with at most one write
 * under way, what comes meanwhile gathered into the next. Falls back to plain stream methods for anything that is not
 * a socket of Node's own.
 */
export class Wire implements Gathering {
  readonly socket: WireSocket;
  /** Bytes accepted and not yet sent. */
  backlog = 0;
  /** Set by who waits for the backlog to leave; asks for one `drained`. */
  wantsDrain = false;
  isClosed = false;
  private handler: WireHandler;
  private readonly handle: ReadHandle | undefined;
  /** Whether bytes are encrypted (and so copied) before a write returns. */
  private readonly copies: boolean;
  private writing = 0;
  /** What is being written, when it is a block. */
  private block: Buffer | undefined;
  private readonly pending = new BlockQueue();
  /** Whether what waits is held until the turn ends. */
  private gathers = false;
  private ending = false;
  private paused = false;
  private failure: Error | undefined;

  constructor(socket: WireSocket, handler: WireHandler) {
    this.socket = socket;
    this.handler = handler;
    this.handle = handleOf(socket);
    // What `TLSSocket` documents to be told by.
    this.copies = this.handle !== undefined && (socket as { encrypted?: boolean }).encrypted === true;
    socket.on('error', (error: Error) => {
      this.failure = error;
    });
    socket.on('end', () => this.handler.ended());
    socket.on('close', () => {
      this.isClosed = true;
      this.pending.clear();
      this.handler.closed(this.failure);
    });
  }

  get isFull(): boolean {
    return this.backlog > HIGH_WATER;
  }
  /** What is written now has to wait, and so to be copied: better read it later. */
  get isBusy(): boolean {
    return this.writing > 0;
  }

  /** Hands the wire to another owner, as after an upgrade. */
  become(handler: WireHandler): void {
    this.handler = handler;
  }

  /** Gives the present owner what the one before has read and not used. */
  deliver(bytes: Buffer, start: number, end: number): void {
    this.handler.received(bytes, start, end);
  }

  /** Starts reading. */
  start(): void {
    const { socket, handle } = this;
    const inside = nodeInside;
    for (let early = socket.read() as Buffer | null; early !== null; early = socket.read() as Buffer | null) {
      this.handler.received(early, 0, early.length);
    }
    if (handle === undefined || inside === undefined) {
      socket.on('data', (bytes: Buffer) => this.handler.received(bytes, 0, bytes.length));
      return;
    }
    if (this.isGone()) return;
    const original = handle.onread;
    const wire = this;
    const memory = this.copies ? SECURE : PLAIN;
    handle.useUserBuffer(memory);
    handle.onread = function (given) {
      const count = inside.readCount();
      // The end and errors stay Node's to handle.
      if (count <= 0) return original.call(this, given);
      wire.handler.received(memory, 0, count);
      return undefined;
    };
    if (!this.paused) {
      handle.reading = true;
      handle.readStart();
    }
  }

  /** Whether the socket has let its handle go. */
  private isGone(): boolean {
    return this.isClosed || (this.socket as { _handle?: unknown })._handle !== this.handle;
  }

  pause(): void {
    if (this.paused) return;
    this.paused = true;
    if (this.handle === undefined) this.socket.pause();
    else if (!this.isGone()) {
      this.handle.reading = false;
      this.handle.readStop();
    }
  }

  resume(): void {
    if (!this.paused) return;
    this.paused = false;
    if (this.handle === undefined) this.socket.resume();
    else if (!this.isGone()) {
      this.handle.reading = true;
      this.handle.readStart();
    }
  }

  /** Sends bytes; the caller may overwrite them afterwards. */
  write(bytes: Buffer, start = 0, end = bytes.length): void {
    if (this.isClosed || this.ending || end <= start) return;
    this.backlog += end - start;
    if (this.writing === 0 && this.copies && this.pending.isEmpty) this.send(view(bytes, start, end));
    else {
      this.pending.push(bytes, start, end);
      if (this.writing === 0) this.sendPending();
    }
  }

  /** The same before this turn of the loop ends, together with what else comes until then. */
  writeSoon(bytes: Buffer, start: number, end: number): void {
    if (this.isClosed || this.ending || end <= start) return;
    this.backlog += end - start;
    this.pending.push(bytes, start, end);
    if (!this.gathers) {
      this.gathers = true;
      atTurnEnd(this);
    }
    if (this.writing === 0 && this.mayContinue) this.sendPending();
  }

  flushTurn(): void {
    this.gathers = false;
    if (this.writing === 0 && !this.isClosed) this.sendPending();
  }

  /** While more is to come, only what is full goes. */
  private get mayContinue(): boolean {
    const { first } = this.pending;
    return first !== undefined && (!this.gathers || first.used === first.block.length);
  }

  /** Writes the oldest block that waits. */
  private sendPending(): void {
    const next = this.pending.shift();
    if (next === undefined) return;
    this.block = next.block;
    this.send(view(next.block, 0, next.used));
  }

  private send(bytes: Buffer): void {
    this.writing = bytes.length;
    const { handle } = this;
    const inside = nodeInside;
    if (handle === undefined || inside === undefined) {
      this.socket.write(bytes, (error) => this.afterWrite(error ?? undefined));
      return;
    }
    if (this.isGone()) return;
    const request = spareRequest ?? (new inside.WriteRequest() as WireRequest);
    spareRequest = undefined;
    request.oncomplete = completed;
    request.wire = this;
    const status = handle.writeBuffer(request, bytes);
    if (status === 0 && inside.isWriteOpen()) return;
    request.wire = undefined;
    if (status === 0) spareRequest = request;
    this.afterWrite(status === 0 ? undefined : errorOf(status));
  }

  /** A write is over. */
  afterWrite(error: Error | undefined): void {
    this.backlog -= this.writing;
    this.writing = 0;
    if (this.block !== undefined) returnBlock(this.block);
    this.block = undefined;
    if (error !== undefined) {
      this.failure ??= error;
      this.socket.destroy();
      return;
    }
    if (this.mayContinue) this.sendPending();
    else if (this.ending) this.socket.end();
    else if (this.wantsDrain && !this.isClosed) {
      this.wantsDrain = false;
      this.handler.drained();
    }
  }

  /** Ends our side once everything is sent. */
  end(): void {
    if (this.ending || this.isClosed) return;
    this.ending = true;
    this.gathers = false;
    if (this.writing > 0) return;
    if (this.pending.isEmpty) this.socket.end();
    else this.sendPending();
  }

  destroy(error?: Error): void {
    if (error !== undefined) this.failure ??= error;
    this.socket.destroy();
  }
}

const view = (bytes: Buffer, start: number, end: number): Buffer =>
  start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end);
