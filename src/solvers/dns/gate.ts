/** Lets one piece of work at a time happen at a place, and `most` at once in its area; the rest waits in line. */
export function createGate(most: number): <T>(area: string, place: string, work: () => Promise<T>) => Promise<T> {
  const places = new Map<string, Promise<unknown>>();
  const areas = new Map<string, { running: number; waiting: (() => void)[] }>();

  async function enter(area: string): Promise<() => void> {
    const room = areas.get(area) ?? { running: 0, waiting: [] };
    areas.set(area, room);
    if (room.running >= most) await new Promise<void>((resolve) => room.waiting.push(resolve));
    else room.running++;
    return () => {
      const next = room.waiting.shift();
      if (next !== undefined) next();
      else if (--room.running === 0) areas.delete(area);
    };
  }

  return async (area, place, work) => {
    const key = `${area}\0${place}`;
    const before = places.get(key) ?? Promise.resolve();
    const mine = before
      .catch(() => {})
      .then(async () => {
        const leave = await enter(area);
        try {
          return await work();
        } finally {
          leave();
        }
      });
    places.set(key, mine);
    try {
      return await mine;
    } finally {
      if (places.get(key) === mine) places.delete(key);
    }
  };
}
