import { Socket } from 'node:net';
import type { SecureContext } from 'node:tls';
import { getSystemErrorName } from 'node:util';
import type { WireSocket } from '../wire/wire-socket.ts';
import type { NodeInside, StreamRequest, TcpHandle, TlsHandle } from './node-inside.ts';

export interface HandshakeHandler {
  /** Once, inside of OpenSSL's own call; what the client sent with its last flight follows at once. */
  secured(connection: DirectConnection): void;
  /** Before `secured`: what OpenSSL or the system says. The connection is closed. */
  failed(connection: DirectConnection, error: Error): void;
}

/** Where all connections read their first bytes. */
const FIRST = Buffer.allocUnsafeSlow(64 * 1024);

/**
 * A client's connection on Node's handles alone, where a `Socket` and a `TLSSocket` over it would be two streams with
 * their events, states and timers: half of the processor time of a handshake that is not OpenSSL's. It offers what a
 * `Wire` asks of a socket, and can still become a `Socket` while no TLS has been spoken.
 */
export class DirectConnection implements WireSocket {
  readonly encrypted = true;
  destroyed = false;
  /** The TLS handle, once there is one; a `Wire` reads and writes by it. */
  _handle: TlsHandle | undefined;
  private readonly inside: NodeInside;
  private readonly tcp: TcpHandle & { connection?: DirectConnection };
  private handler: HandshakeHandler | undefined;
  private ending = false;
  private ended = false;
  private endSeen = false;
  private error: Error | undefined;
  private readonly closeListeners: (() => void)[] = [];
  private endListener: (() => void) | undefined;
  private errorListener: ((error: Error) => void) | undefined;

  constructor(inside: NodeInside, tcp: TcpHandle) {
    this.inside = inside;
    this.tcp = tcp;
    this.tcp.connection = this;
  }

  /** Calls back once, with the first bytes, which are overwritten after the call. One that ends before is closed here. */
  first(read: (bytes: Buffer) => void): void {
    const { tcp, inside } = this;
    // Else 64 KiB would be taken and given back for each.
    tcp.useUserBuffer(FIRST);
    tcp.onread = () => {
      const count = inside.readCount();
      if (count === 0) return;
      tcp.readStop();
      if (count < 0) this.destroy();
      else read(FIRST.subarray(0, count));
    };
    tcp.readStart();
  }

  /** Gives the connection away as a stream of Node's own; from then on this object is nothing. */
  toSocket(): Socket {
    this.destroyed = true;
    this.tcp.connection = undefined;
    // The handle reads into memory of ours for good; a stream may keep what it is given.
    const callback = (count: number): boolean => socket.push(Buffer.from(FIRST.subarray(0, count)));
    const given = { handle: this.tcp, readable: true, writable: true, onread: { buffer: FIRST, callback } };
    const socket = new Socket(given as object);
    return socket;
  }

  /** Begins the handshake with the bytes of the ClientHello. `alpn` is the list as TLS writes it. */
  secure(context: SecureContext, alpn: Uint8Array, hello: Uint8Array, handler: HandshakeHandler): void {
    this.handler = handler;
    const { context: native } = context as { context: unknown };
    const handle = this.inside.wrap(this.tcp, native, true, false) as TlsHandle & Owned;
    this._handle = handle;
    handle.connection = this;
    handle.keepAlive = [this.tcp, context];
    handle.setALPNProtocols(alpn);
    handle.onhandshakestart = nothing;
    handle.onhandshakedone = onHandshakeDone;
    handle.onerror = onError;
    handle.onread = onRead;
    handle.reading = true;
    handle.readStart();
    handle.receive(hello);
  }

  get alpnProtocol(): string | undefined {
    return this._handle?.getALPNNegotiatedProtocol() || undefined;
  }
  getProtocol(): string | null {
    return this._handle?.getProtocol() ?? null;
  }
  isSessionReused(): boolean {
    return this._handle?.isSessionReused() ?? false;
  }

  handshakeDone(): void {
    const { handler } = this;
    this.handler = undefined;
    if (!this.destroyed) handler?.secured(this);
  }
  fail(error: Error): void {
    const { handler } = this;
    this.handler = undefined;
    if (this.destroyed) return;
    if (handler !== undefined) handler.failed(this, error);
    this.error = error;
    this.destroy();
  }
  /** The end, or an error: what is received goes to the `Wire` that has started. */
  heard(): void {
    const count = this.inside.readCount();
    if (count >= 0 || this.destroyed) return;
    if (getSystemErrorName(count) !== 'EOF') this.fail(systemError('read', count));
    else if (this.handler !== undefined) this.destroy();
    else if (!this.endSeen) {
      this.endSeen = true;
      this.endListener?.();
      this.closeWhenBothEnded();
    }
  }

  // What a Wire asks of a socket.

  on(event: 'end' | 'close' | 'error' | 'data', listener: (() => void) & ((error: Error) => void)): this {
    if (event === 'close') this.closeListeners.push(listener);
    else if (event === 'end') this.endListener = listener;
    else if (event === 'error') this.errorListener = listener;
    return this;
  }
  /** Nothing was read and kept. */
  read(): null {
    return null;
  }
  pause(): void {
    this._handle?.readStop();
  }
  resume(): void {
    this._handle?.readStart();
  }
  write(bytes: Buffer, done: (error?: Error | null) => void): void {
    this._write(bytes, 'buffer', done);
  }
  _write(bytes: Buffer, _encoding: 'buffer', done: (error?: Error | null) => void): void {
    const { _handle: handle, inside } = this;
    if (this.destroyed || handle === undefined) {
      done(systemError('write', CANCELED));
      return;
    }
    const request = new inside.WriteRequest() as StreamRequest & Written;
    request.bytes = bytes;
    request.done = done;
    request.oncomplete = onWritten;
    const status = handle.writeBuffer(request, bytes);
    if (status !== 0) done(systemError('write', status));
    else if (!inside.isWriteOpen()) done();
  }
  end(): void {
    const { _handle: handle, inside } = this;
    if (this.ending || this.destroyed) return;
    this.ending = true;
    if (handle === undefined) {
      this.destroy();
      return;
    }
    const request = new inside.ShutdownRequest() as StreamRequest & Shut;
    request.connection = this;
    request.oncomplete = onShutdown;
    if (handle.shutdown(request) !== 0) this.shutDown();
  }
  shutDown(): void {
    this.ended = true;
    this.closeWhenBothEnded();
  }
  private closeWhenBothEnded(): void {
    if (this.ended && this.endSeen) this.destroy();
  }
  destroy(): void {
    if (this.destroyed) return;
    this.destroyed = true;
    // As Node's own sockets do: who holds the handle can tell that it is not to be used any more.
    const { _handle: handle } = this;
    this._handle = undefined;
    this.tcp.close(() => {
      handle?.destroySSL();
      this.tcp.connection = undefined;
      if (this.error !== undefined) this.errorListener?.(this.error);
      for (const listener of this.closeListeners) listener();
    });
  }
}

// One function for all connections, each called with its handle or request.
interface Owned {
  connection: DirectConnection;
  /** Node's own sockets hold these for their handle. */
  keepAlive: unknown;
}
interface Written {
  bytes: Buffer;
  done(error?: Error | null): void;
}
interface Shut {
  connection: DirectConnection;
}

const nothing = () => {};
function onHandshakeDone(this: unknown): void {
  (this as Owned).connection.handshakeDone();
}
function onError(this: unknown, error: Error): void {
  (this as Owned).connection.fail(error);
}
function onRead(this: unknown): void {
  (this as Owned).connection.heard();
}
function onWritten(this: unknown, status: number): void {
  const { done } = this as Written;
  done(status < 0 ? systemError('write', status) : undefined);
}
function onShutdown(this: unknown): void {
  (this as Shut).connection.shutDown();
}

const CANCELED = -125;

function systemError(call: string, errno: number): Error {
  const code = getSystemErrorName(errno);
  return Object.assign(new Error(`${call} ${code}`), { code });
}
