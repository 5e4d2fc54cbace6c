import type { Clock } from '../../base/index.ts';

/**
 * Handshakes under way, each with one absolute deadline: a client that sends a byte now and then does not move it. One
 * sweep a second serves all of them, so a connection costs no timer of its own.
 */
/** Whatever is closed when it takes too long. */
type Closable = { destroy(): unknown };

export interface Handshakes {
  begin(socket: Closable): void;
  end(socket: Closable): void;
  /** Cuts what is late; answers how many. */
  sweep(): number;
  count(): number;
}

export function createHandshakes(clock: Clock, limitMs: number): Handshakes {
  // In order of their begin, so a sweep stops at the first that is in time.
  const open = new Map<Closable, number>();
  return {
    begin: (socket) => void open.set(socket, clock.now() + limitMs),
    end: (socket) => void open.delete(socket),
    sweep() {
      const now = clock.now();
      let late = 0;
      for (const [socket, deadline] of open) {
        if (deadline > now) break;
        open.delete(socket);
        socket.destroy();
        late++;
      }
      return late;
    },
    count: () => open.size,
  };
}
