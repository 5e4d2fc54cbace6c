// What Node.js has below its streams: socket handles, the TLS wrap around one, and requests to write and to end. It has
// been there since Node 0.11, and is no documented face, so each part is looked for, and `undefined` is a good answer.

/** A stream handle (StreamBase): a TCP connection, or TLS over one. Calls answer 0 or a negative errno. */
export interface StreamHandle {
  onread: (this: this, memory: ArrayBuffer | undefined) => unknown;
  reading: boolean;
  readStart(): number;
  readStop(): number;
  writeBuffer(request: StreamRequest, bytes: Uint8Array): number;
  shutdown(request: StreamRequest): number;
}

export interface TcpHandle extends StreamHandle {
  /** From now on everything is read into this memory. */
  useUserBuffer(memory: Uint8Array): void;
  close(done: () => void): void;
  setNoDelay(on: boolean): number;
  setKeepAlive(on: boolean, seconds: number): number;
  getpeername(into: Partial<SocketName>): number;
  getsockname(into: Partial<SocketName>): number;
}

export interface SocketName {
  readonly address: string;
  readonly port: number;
}

export interface TlsHandle extends StreamHandle {
  /** Bytes that were read from the connection before it was wrapped. */
  receive(bytes: Uint8Array): void;
  setALPNProtocols(list: Uint8Array): void;
  getALPNNegotiatedProtocol(): string | false | undefined;
  getProtocol(): string | null;
  isSessionReused(): boolean;
  destroySSL(): void;
  onhandshakestart: () => void;
  onhandshakedone: () => void;
  onerror: (error: Error) => void;
}

export interface StreamRequest {
  oncomplete: (this: this, status: number) => void;
}

export interface NodeInside {
  wrap(handle: TcpHandle, context: unknown, isServer: boolean, busy: boolean): TlsHandle;
  readonly WriteRequest: new () => StreamRequest;
  readonly ShutdownRequest: new () => StreamRequest;
  /** Of the read callback that runs: octets, or a negative errno. */
  readCount(): number;
  /** Of the write that was just begun: whether its completion will be told later. */
  isWriteOpen(): boolean;
}

interface StreamWrap {
  readonly WriteWrap: new () => StreamRequest;
  readonly ShutdownWrap: new () => StreamRequest;
  readonly streamBaseState: Int32Array;
  readonly kReadBytesOrError: number;
  readonly kLastWriteWasAsync: number;
}

export const nodeInside: NodeInside | undefined = find();

function find(): NodeInside | undefined {
  const { binding } = process as unknown as { binding?: (name: string) => Record<string, unknown> };
  if (binding === undefined) return undefined;
  try {
    const stream = binding('stream_wrap') as unknown as StreamWrap;
    const { wrap } = binding('tls_wrap') as unknown as Pick<NodeInside, 'wrap'>;
    const { WriteWrap, ShutdownWrap, streamBaseState: state } = stream;
    const { kReadBytesOrError: count, kLastWriteWasAsync: open } = stream;
    const functions = [wrap, WriteWrap, ShutdownWrap].every((value) => typeof value === 'function');
    if (!functions || [count, open].some((at) => typeof state[at] !== 'number')) return undefined;
    return {
      wrap,
      WriteRequest: WriteWrap,
      ShutdownRequest: ShutdownWrap,
      readCount: () => state[count]!,
      isWriteOpen: () => state[open] !== 0,
    };
  } catch {
    return undefined;
  }
}
