export const BLOCK_BYTES = 64 * 1024;
const MOST_SPARE = 64;
const spare: Buffer[] = [];

/** Memory for what waits to be sent: used again and again, since fresh memory costs page faults and garbage collection. */
export function takeBlock(): Buffer {
  return spare.pop() ?? Buffer.allocUnsafeSlow(BLOCK_BYTES);
}

/** Gives a block back; memory of another size is left to the garbage collector. */
export function returnBlock(block: Buffer): void {
  if (block.length === BLOCK_BYTES && spare.length < MOST_SPARE) spare.push(block);
}

/** Octets in the order they came, in blocks. */
export class BlockQueue {
  private blocks: { readonly block: Buffer; used: number }[] = [];

  get isEmpty(): boolean {
    return this.blocks.length === 0;
  }

  push(bytes: Buffer, start: number, end: number): void {
    let at = start;
    while (at < end) {
      let last = this.blocks.at(-1);
      if (last === undefined || last.used === last.block.length) {
        last = { block: takeBlock(), used: 0 };
        this.blocks.push(last);
      }
      const piece = Math.min(end - at, last.block.length - last.used);
      bytes.copy(last.block, last.used, at, at + piece);
      last.used += piece;
      at += piece;
    }
  }

  /** The oldest block, which is the caller's to give back. */
  shift(): { readonly block: Buffer; readonly used: number } | undefined {
    return this.blocks.shift();
  }

  clear(): void {
    for (const { block } of this.blocks) returnBlock(block);
    this.blocks = [];
  }
}
