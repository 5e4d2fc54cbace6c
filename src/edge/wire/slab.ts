const SLAB_BYTES = 64 * 1024;

let slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
let used = 0;

/**
 * Memory for bytes that are written once and then belong to a socket until it has sent them: handed out from one block
 * after another, never twice. `reserve` gives room, of which `commit` takes what was used.
 */
export function reserve(most: number): Buffer {
  if (SLAB_BYTES - used < most) {
    if (most > SLAB_BYTES) return Buffer.allocUnsafeSlow(most);
    slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
    used = 0;
  }
  return slab;
}

/** Where in the reserved block writing starts. */
export function reservedAt(block: Buffer): number {
  return block === slab ? used : 0;
}

export function commit(block: Buffer, start: number, end: number): Buffer {
  if (block === slab) used = end;
  return block.subarray(start, end);
}

/** A copy that the receiver may keep. */
export function keep(bytes: Buffer, start: number, end: number): Buffer {
  const block = reserve(end - start);
  const at = reservedAt(block);
  bytes.copy(block, at, start, end);
  return commit(block, at, at + end - start);
}
