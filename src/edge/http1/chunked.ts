import { CR, FIELD_VALUE, HEX, LF } from '../message/characters.ts';
import { Fields } from '../message/head.ts';
import * as bad from '../message/malformed.ts';
import { parseFields } from './parse-fields.ts';

const SIZE = 0;
const EXTENSION = 1;
const SIZE_LF = 2;
const DATA = 3;
const DATA_CR = 4;
const DATA_LF = 5;
const TRAILERS = 6;
const DONE = 7;

// RFC 9112 §7.1.1 asks for a limit on extensions; a chunk above 4 GiB is nobody's.
const MOST_SIZE_DIGITS = 8;
const MOST_EXTENSION_BYTES = 512;
const MOST_TRAILER_BYTES = 8_192;
const MOST_TRAILERS = 64;

/** A chunked body read piece by piece (RFC 9112 §7.1), strictly: CR LF everywhere, no spaces, extensions passed over. */
export class ChunkedReader {
  private state = SIZE;
  private digits = 0;
  private size = 0;
  private extension = 0;
  private held: Buffer | undefined;
  /** Set when the body has ended with trailers. */
  trailers: Fields | undefined;

  get done(): boolean {
    return this.state === DONE;
  }

  /**
   * Reads from `at` to `end`, giving each run of body octets to `data`. Returns the offset after what belongs to the
   * body (`end` until it is done), or a negative code.
   */
  read(bytes: Buffer, at: number, end: number, data: (bytes: Buffer, start: number, end: number) => void): number {
    while (at < end) {
      if (this.state === DATA) {
        const stop = Math.min(end, at + this.size);
        this.size -= stop - at;
        if (this.size === 0) this.state = DATA_CR;
        data(bytes, at, stop);
        at = stop;
      } else if (this.state === TRAILERS) {
        return this.readTrailers(bytes, at, end);
      } else {
        const code = this.step(bytes[at++]!);
        if (code < 0) return code;
      }
    }
    return at;
  }

  /** One octet of the syntax around the data. */
  private step(octet: number): number {
    switch (this.state) {
      case SIZE: {
        const digit = HEX[octet]!;
        if (digit !== 255) {
          if (++this.digits > MOST_SIZE_DIGITS) return bad.BAD_CHUNK;
          this.size = this.size * 16 + digit;
          return 0;
        }
        if (this.digits === 0) return bad.BAD_CHUNK;
        this.state = octet === CR ? SIZE_LF : EXTENSION;
        return octet === CR || octet === 0x3b ? 0 : bad.BAD_CHUNK;
      }
      case EXTENSION:
        if (octet === CR) this.state = SIZE_LF;
        else if (FIELD_VALUE[octet] !== 1 || ++this.extension > MOST_EXTENSION_BYTES) return bad.BAD_CHUNK;
        return 0;
      case SIZE_LF:
        this.state = this.size === 0 ? TRAILERS : DATA;
        this.digits = 0;
        return octet === LF ? 0 : bad.BAD_CHUNK;
      case DATA_CR:
        this.state = DATA_LF;
        return octet === CR ? 0 : bad.BAD_CHUNK;
      default:
        this.state = SIZE;
        return octet === LF ? 0 : bad.BAD_CHUNK;
    }
  }

  private readTrailers(bytes: Buffer, at: number, end: number): number {
    if (this.held === undefined && end - at >= 2 && bytes[at] === CR && bytes[at + 1] === LF) {
      this.state = DONE;
      return at + 2;
    }
    const before = this.held?.length ?? 0;
    const all = Buffer.concat([this.held ?? Buffer.alloc(0), bytes.subarray(at, end)]);
    const atOnce = all.length >= 2 && all[0] === CR && all[1] === LF;
    const empty = atOnce ? -2 : all.indexOf('\r\n\r\n');
    if (empty === -1) {
      if (all.length > MOST_TRAILER_BYTES || bareLineFeed(all)) return bad.BAD_CHUNK;
      this.held = all;
      return end;
    }
    const section = Buffer.from(all.subarray(0, empty + 4));
    if (!atOnce) {
      const trailers = new Fields();
      trailers.resetFields(section);
      if (section.length > MOST_TRAILER_BYTES || parseFields(trailers, 0, MOST_TRAILERS) < 0) return bad.BAD_CHUNK;
      this.trailers = trailers;
    }
    this.held = undefined;
    this.state = DONE;
    return at + section.length - before;
  }
}

function bareLineFeed(bytes: Buffer): boolean {
  for (let at = bytes.indexOf(LF); at >= 0; at = bytes.indexOf(LF, at + 1)) if (bytes[at - 1] !== CR) return true;
  return false;
}
