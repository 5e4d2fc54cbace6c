import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

/** Anti-replay nonces (RFC 8555 §6.5). */
export interface NonceService {
  issue(): string;
  /** Whether the nonce is ours and was not used before; it is used from then on. */
  redeem(nonce: string): boolean | Promise<boolean>;
  /** As `redeem`, for nonces of this life of this replica only. */
  redeemOwn(nonce: string): boolean;
  /** Hexadecimal name of this life. */
  readonly epoch: string;
  /** No nonce is redeemed here from now on; answers the next counter and the bits of those that were. */
  close(): { next: number; used: Uint8Array };
}

/** Where a nonce of another replica, or of an earlier life of this one, is redeemed. */
export interface ForeignNonces {
  redeem(epoch: string, counter: number, nonce: string): Promise<boolean>;
}

export interface NonceOptions {
  /** 16 bytes, the same in every replica. */
  readonly key: Uint8Array;
  /** Names this life of this replica: 6 bytes. */
  readonly epoch?: Uint8Array;
  /** How many of the newest nonces are remembered; older ones are refused. A multiple of 8. */
  readonly window?: number;
  readonly foreign?: ForeignNonces;
}

const BLOCK = 16;
const EPOCH = 6;
const COUNTER = 6;
const AHEAD = 64;

/**
 * A nonce is one AES block: epoch, counter, and four zero bytes. Nobody without the key can make one (a guess opens to
 * a known epoch and zeros once in 2^80), nor see how many there were. What was used is one bit a nonce in memory.
 */
export function createNonceService(options: NonceOptions): NonceService {
  const { window = 1 << 20, foreign } = options;
  const epoch = Buffer.from(options.epoch ?? randomBytes(EPOCH));
  const used = new Uint8Array(window / 8);
  let next = 1;
  let closed = false;
  const encrypt = createCipheriv('aes-128-ecb', options.key, null).setAutoPadding(false);
  const decrypt = createDecipheriv('aes-128-ecb', options.key, null).setAutoPadding(false);

  function markUsed(counter: number): boolean {
    if (closed || counter >= next || counter <= next - window - 1 || counter < 1) return false;
    const slot = counter % window;
    const bit = 1 << (slot & 7);
    const before = used[slot >> 3]!;
    used[slot >> 3] = before | bit;
    return (before & bit) === 0;
  }

  function open(nonce: string): { epoch: Buffer; counter: number } | undefined {
    const sealed = Buffer.from(nonce, 'base64url');
    if (sealed.length !== BLOCK || sealed.toString('base64url') !== nonce) return undefined;
    const block = decrypt.update(sealed);
    if (block.readUInt32BE(EPOCH + COUNTER) !== 0) return undefined;
    return { epoch: block.subarray(0, EPOCH), counter: block.readUIntBE(EPOCH, COUNTER) };
  }

  // The next ones, the very next at the end: sealing many at once costs little more than one.
  let ahead: string[] = [];

  function sealAhead(): string[] {
    const blocks = Buffer.alloc(BLOCK * AHEAD);
    for (let i = 0; i < AHEAD; i++) {
      epoch.copy(blocks, i * BLOCK);
      blocks.writeUIntBE(next + i, i * BLOCK + EPOCH, COUNTER);
    }
    const sealed = encrypt.update(blocks);
    return Array.from({ length: AHEAD }, (_, i) => sealed.toString('base64url', i * BLOCK, (i + 1) * BLOCK)).reverse();
  }

  return {
    issue() {
      if (ahead.length === 0) ahead = sealAhead();
      const slot = next++ % window;
      used[slot >> 3]! &= ~(1 << (slot & 7));
      return ahead.pop()!;
    },
    redeem(nonce) {
      const opened = open(nonce);
      if (opened === undefined) return false;
      if (opened.epoch.equals(epoch)) return markUsed(opened.counter);
      return foreign?.redeem(opened.epoch.toString('hex'), opened.counter, nonce) ?? false;
    },
    redeemOwn(nonce) {
      const opened = open(nonce);
      return opened?.epoch.equals(epoch) === true && markUsed(opened.counter);
    },
    epoch: epoch.toString('hex'),
    close() {
      closed = true;
      return { next, used };
    },
  };
}
