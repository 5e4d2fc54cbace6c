export const BLOCK_BYTES = 64 * 1024;
const MOST_SPARE = 128;
const spare: Buffer[] = [];
/** For what is put together to leave as one write; with answers of 1 MiB it is as long as that most of the time. */
const LARGE_BYTES = 512 * 1024;
const MOST_SPARE_LARGE = 16;
const spareLarge: Buffer[] = [];

/** Memory for what waits to be sent: used again and again, since fresh memory costs page faults and garbage collection. */
export function takeBlock(): Buffer {
  return spare.pop() ?? Buffer.allocUnsafeSlow(BLOCK_BYTES);
}

/** Room for at least so much, of which nothing is used yet. */
export function takeLarge(least: number): Buffer {
  if (least > LARGE_BYTES) return Buffer.allocUnsafeSlow(least * 2);
  return spareLarge.pop() ?? Buffer.allocUnsafeSlow(LARGE_BYTES);
}

/** Gives a block back; memory of another size is left to the garbage collector. */
export function returnBlock(block: Buffer): void {
  if (block.length === BLOCK_BYTES && spare.length < MOST_SPARE) spare.push(block);
  else if (block.length === LARGE_BYTES && spareLarge.length < MOST_SPARE_LARGE) spareLarge.push(block);
}

/** A block of which `[at, used)` waits. */
export interface WaitingBlock {
  readonly block: Buffer;
  at: number;
  used: number;
}

/** Octets in the order they came, in blocks. */
export class BlockQueue {
  private blocks: WaitingBlock[] = [];

  get isEmpty(): boolean {
    return this.blocks.length === 0;
  }

  push(bytes: Buffer, start: number, end: number): void {
    let at = start;
    while (at < end) {
      let last = this.blocks.at(-1);
      if (last === undefined || last.used === last.block.length) {
        last = { block: takeBlock(), at: 0, used: 0 };
        this.blocks.push(last);
      }
      const piece = Math.min(end - at, last.block.length - last.used);
      bytes.copy(last.block, last.used, at, at + piece);
      last.used += piece;
      at += piece;
    }
  }

  get first(): WaitingBlock | undefined {
    return this.blocks[0];
  }

  /** The oldest block, which is the caller's to give back. */
  shift(): WaitingBlock | undefined {
    return this.blocks.shift();
  }

  clear(): void {
    for (const { block } of this.blocks) returnBlock(block);
    this.blocks = [];
  }
}
