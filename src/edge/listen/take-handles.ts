import type { Server } from 'node:net';
import type { NodeInside, TcpHandle } from '../tls/node-inside.ts';

/** The part of a listening handle that is used when it is there. */
interface ListeningHandle extends Partial<Pick<TcpHandle, 'setNoDelay' | 'setKeepAlive'>> {
  onconnection?: (this: unknown, status: number, tcp: TcpHandle | undefined) => void;
}

/**
 * Has `take` called with each accepted connection before a Socket is made of it; where it answers false, or Node.js is
 * not as it is known to be, the server's own way is gone.
 */
export function takeHandles(
  server: Server,
  inside: NodeInside | undefined,
  keepAliveSeconds: number,
  take: (tcp: TcpHandle, inside: NodeInside) => boolean,
): void {
  const { _handle: handle } = server as unknown as { _handle?: ListeningHandle };
  const original = handle?.onconnection;
  if (inside === undefined || handle === undefined || typeof original !== 'function') return;
  // Linux lets an accepted socket inherit these, which saves five calls for each.
  const inherited =
    process.platform === 'linux' &&
    handle.setNoDelay?.(true) === 0 &&
    handle.setKeepAlive?.(true, keepAliveSeconds) === 0;
  handle.onconnection = function (status, tcp) {
    if (status !== 0 || tcp === undefined || !isKnown(tcp)) return original.call(this, status, tcp);
    if (!take(tcp, inside)) return original.call(this, status, tcp);
    if (inherited) return;
    tcp.setNoDelay(true);
    tcp.setKeepAlive(true, keepAliveSeconds);
  };
}

const METHODS = [
  'close',
  'getpeername',
  'getsockname',
  'readStart',
  'readStop',
  'setKeepAlive',
  'setNoDelay',
  'useUserBuffer',
] as const;
let known: boolean | undefined;

/** All handles are of one class, so one look is enough. */
function isKnown(tcp: TcpHandle): boolean {
  known ??= METHODS.every((method) => typeof tcp[method] === 'function');
  return known;
}
