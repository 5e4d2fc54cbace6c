import type { Wire } from '../wire/wire.ts';

const ROOM = 320 * 1024;
const scratch = Buffer.allocUnsafeSlow(ROOM);
let owner: Wire | undefined;
let used = 0;

/**
 * One place where an answer's head and what of its body is there are put together, to leave as one write. It belongs
 * to one wire at a time; asking for another sends what is there.
 */
export function gatherRoom(wire: Wire, room: number): Buffer | undefined {
  if (owner !== wire || ROOM - used < room) sendGathered();
  if (room > ROOM) return undefined;
  owner = wire;
  return scratch;
}

export const gatheredAt = (): number => used;

export function gathered(end: number): void {
  used = end;
}

/** Octets that wait here for this wire. */
export function isGathering(wire: Wire): boolean {
  return owner === wire && used > 0;
}

export function sendGathered(): void {
  const wire = owner;
  const end = used;
  owner = undefined;
  used = 0;
  wire?.write(scratch, 0, end);
}
