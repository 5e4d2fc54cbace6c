import type { SendHandle } from 'node:child_process';
import { BoundSocket, Socket } from 'node:net';
import { Fault } from '../base/index.ts';

/** An address and port of a listener, bound once for each worker slot. */
export interface BoundPort {
  readonly address: string;
  /** The real one, where 0 was asked for. */
  readonly port: number;
  /** One open descriptor for each slot. */
  readonly fds: readonly number[];
  /** The same, for workers that run already; undefined where Node.js does not let them be sent. */
  handles(): readonly SendHandle[] | undefined;
  close(): void;
}

/**
 * Binds an address `slots` times (SO_REUSEPORT), so that the kernel spreads connections over the workers evenly. The
 * supervisor never listens on these sockets, and never lets go of them: a worker that ends leaves its queue to the next
 * one. Throws a `Fault` that names the address.
 */
export function bindPort(address: string, port: number, slots: number): BoundPort {
  const sockets: BoundSocket[] = [];
  let senders: Socket[] = [];
  const close = () => {
    // One descriptor is closed once: by what has it since it was sent, or by what has bound it.
    if (senders.length > 0) for (const sender of senders) sender.destroy();
    else for (const socket of sockets) socket.close();
  };
  const handles = () => {
    if (senders.length === 0)
      senders = sockets.map((socket) => new Socket({ fd: socket.fd(), readable: false, writable: false }));
    const found = senders.map((sender) => (sender as unknown as { _handle?: SendHandle })._handle);
    return found.every((handle) => handle !== undefined) ? found : undefined;
  };
  try {
    let real = port;
    for (let slot = 0; slot < slots; slot++) {
      const socket = new BoundSocket({ host: address, port: real, reusePort: true });
      sockets.push(socket);
      real = portOf(socket);
    }
    return { address, port: real, fds: sockets.map((socket) => socket.fd()), handles, close };
  } catch (error) {
    close();
    throw refused(address, port, error as NodeJS.ErrnoException);
  }
}

function portOf(socket: BoundSocket): number {
  const address = socket.address();
  return typeof address === 'string' ? 0 : address.port;
}

const ADVICE: Record<string, string> = {
  EACCES: 'take a port from 1024 on, grant CAP_NET_BIND_SERVICE, or let systemd open the socket',
  EADDRINUSE: 'end the other program or choose another port (ss -ltnp shows who has it)',
  EADDRNOTAVAIL: 'listen on an address of this machine (ip address shows them)',
};

function refused(address: string, port: number, error: NodeJS.ErrnoException): Fault {
  const where = address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
  const details = { code: 'listen_failed', party: 'operator', retry: 'never' } as const;
  return new Fault(
    { ...details, detail: `cannot listen on ${where}: ${error.message}`, advice: ADVICE[error.code ?? ''] },
    error,
  );
}
