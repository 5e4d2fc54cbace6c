/** So many at once, so many more in a queue. */
export interface Gate {
  /**
   * Runs `go` now or later, or `refused` when the queue is full; `undefined` when it ran or was refused at once, else
   * a way to leave the queue.
   */
  enter(go: () => void, refused: () => void): (() => void) | undefined;
  /** One that went is done. */
  leave(): void;
  readonly waiting: number;
}

export function createGate(active: number, queue: number): Gate {
  let running = 0;
  const waiting = new Set<() => void>();
  return {
    enter(go, refused) {
      if (running < active) {
        running++;
        go();
        return undefined;
      }
      if (waiting.size >= queue) {
        refused();
        return undefined;
      }
      const turn = () => go();
      waiting.add(turn);
      return () => waiting.delete(turn);
    },
    leave() {
      const next = waiting.values().next().value;
      if (next === undefined) {
        running--;
        return;
      }
      // The place passes on.
      waiting.delete(next);
      next();
    },
    get waiting() {
      return waiting.size;
    },
  };
}
