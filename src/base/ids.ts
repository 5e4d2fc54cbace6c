import { createHash, randomBytes } from 'node:crypto';

// Crockford's base 32, lower case: no i, l, o, u, so an id can be read aloud.
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';

// Random bytes are drawn 4 KiB at a time: one call of the generator costs as much as sixteen bytes or as four thousand.
let pool = Buffer.alloc(0);

/** A few random bytes, that nobody else was or will be given. At most 64. */
export function fewRandomBytes(count: number): Buffer {
  if (pool.length < count) pool = randomBytes(4096);
  const taken = pool.subarray(0, count);
  pool = pool.subarray(count);
  return taken;
}

/**
 * A new identifier `prefix_` + 26 characters: 48 bits of `now` (so that ids sort by creation, and an index grows at
 * its end) and 80 random bits.
 */
export function newId(prefix: string, now: number): string {
  let time = '';
  for (let rest = now, i = 0; i < 10; i++, rest = Math.floor(rest / 32)) time = ALPHABET[rest % 32] + time;
  let random = '';
  for (const byte of fewRandomBytes(16)) random += ALPHABET[byte & 31];
  return `${prefix}_${time}${random}`;
}

export function isId(prefix: string, text: string): boolean {
  return text.length === prefix.length + 27 && text.startsWith(`${prefix}_`) && /^[0-9a-z_]+$/.test(text);
}

/** A secret of `bytes` random bytes in base64url. */
export function newSecret(bytes = 32): string {
  return randomBytes(bytes).toString('base64url');
}

export function sha256Hex(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}
