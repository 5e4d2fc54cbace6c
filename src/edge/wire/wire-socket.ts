/** What a `Wire` needs of a connection: a Duplex of Node's own, or less. */
export interface WireSocket {
  readonly destroyed: boolean;
  on(event: 'end' | 'close', listener: () => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: 'data', listener: (bytes: Buffer) => void): unknown;
  read(): unknown;
  pause(): unknown;
  resume(): unknown;
  write(bytes: Buffer, done: (error?: Error | null) => void): unknown;
  end(): unknown;
  destroy(): unknown;
}
