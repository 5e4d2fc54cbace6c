import { CR, FIELD_VALUE, HEX, LF, TOKEN } from '../message/characters.ts';
import { Fields } from '../message/head.ts';
import * as bad from '../message/malformed.ts';
import { parseFields } from './parse-fields.ts';

const SIZE = 0;
const SIZE_LF = 2;
const DATA = 3;
const DATA_CR = 4;
const DATA_LF = 5;
const TRAILERS = 6;
const DONE = 7;
// Inside an extension (RFC 9112 §7.1.1): ";" name [ "=" ( token | quoted string ) ], each of which may repeat.
const EXTENSION_NAME = 8;
const EXTENSION_VALUE = 9;
const EXTENSION_QUOTED = 10;
const EXTENSION_ESCAPED = 11;
const EXTENSION_END = 12;

const SEMICOLON = 0x3b;
const EQUALS = 0x3d;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

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
  /** Octets of the name or value that is being read. */
  private part = 0;
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
        return this.afterPart(octet);
      }
      case SIZE_LF:
        this.state = this.size === 0 ? TRAILERS : DATA;
        this.digits = 0;
        return octet === LF ? 0 : bad.BAD_CHUNK;
      case DATA_CR:
        this.state = DATA_LF;
        return octet === CR ? 0 : bad.BAD_CHUNK;
      case DATA_LF:
        this.state = SIZE;
        return octet === LF ? 0 : bad.BAD_CHUNK;
      default:
        return ++this.extension > MOST_EXTENSION_BYTES ? bad.BAD_CHUNK : this.inExtension(octet);
    }
  }

  /** What may follow the size or a whole extension: another one, or the end of the line. */
  private afterPart(octet: number): number {
    this.part = 0;
    this.state = octet === CR ? SIZE_LF : EXTENSION_NAME;
    return octet === CR || octet === SEMICOLON ? 0 : bad.BAD_CHUNK;
  }

  private inExtension(octet: number): number {
    switch (this.state) {
      case EXTENSION_NAME:
        if (TOKEN[octet] === 1) this.part++;
        else if (this.part === 0) return bad.BAD_CHUNK;
        else if (octet !== EQUALS) return this.afterPart(octet);
        else {
          this.part = 0;
          this.state = EXTENSION_VALUE;
        }
        return 0;
      case EXTENSION_VALUE:
        if (TOKEN[octet] === 1) this.part++;
        else if (octet === QUOTE && this.part === 0) this.state = EXTENSION_QUOTED;
        else return this.part === 0 ? bad.BAD_CHUNK : this.afterPart(octet);
        return 0;
      case EXTENSION_QUOTED:
        if (octet === QUOTE) this.state = EXTENSION_END;
        else if (octet === BACKSLASH) this.state = EXTENSION_ESCAPED;
        else if (FIELD_VALUE[octet] !== 1) return bad.BAD_CHUNK;
        return 0;
      case EXTENSION_ESCAPED:
        this.state = EXTENSION_QUOTED;
        return FIELD_VALUE[octet] === 1 ? 0 : bad.BAD_CHUNK;
      default:
        return this.afterPart(octet);
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
