import { isAuthority } from '../http1/parse-head.ts';
import { TARGET, TOKEN } from '../message/characters.ts';
import * as field from '../message/field-names.ts';
import { type Fields, Head, NO_LENGTH, WIDTH } from '../message/head.ts';
import type { FieldSink } from './hpack-decoder.ts';

const FIRST_ROOM = 1_024;
const spare: Head[] = [];
const MOST_SPARE = 512;

/** A head with room of its own; `returnHead` lets the next request have it. */
export function takeHead(): Head {
  const head = spare.pop() ?? new Head();
  head.reset(head.bytes.length === 0 ? Buffer.allocUnsafeSlow(FIRST_ROOM) : head.bytes);
  head.version = 2;
  return head;
}

export function returnHead(head: Head): void {
  if (spare.length < MOST_SPARE && head.bytes.length <= 8 * FIRST_ROOM) spare.push(head);
}

// RFC 9113 §8.2.2.
const CONNECTION_SPECIFIC = field.maskOf(
  field.CONNECTION,
  field.KEEP_ALIVE,
  field.PROXY_CONNECTION,
  field.TRANSFER_ENCODING,
  field.UPGRADE,
);
const PSEUDOS = field.maskOf(
  field.PSEUDO_METHOD,
  field.PSEUDO_PATH,
  field.PSEUDO_SCHEME,
  field.PSEUDO_AUTHORITY,
  field.PSEUDO_STATUS,
);

/**
 * Puts the fields of a block together as a head in the form both protocols share: pseudo-header values first, then the
 * lines one after the other. Notes what RFC 9113 §8 forbids; `finish…` tells.
 */
export class HeadBuilder implements FieldSink {
  head = new Head();
  malformed = false;
  tooLarge = false;
  private at = 0;
  private listSize = 0;
  private pseudos = 0;
  private cookies = 0;
  private mostBytes = 0;
  private mostFields = 0;

  begin(head: Head, mostBytes: number, mostFields: number): void {
    this.head = head;
    this.malformed = false;
    this.tooLarge = false;
    this.at = 0;
    this.listSize = 0;
    this.pseudos = 0;
    this.cookies = 0;
    this.mostBytes = mostBytes;
    this.mostFields = mostFields;
  }

  add(line: Uint8Array, start: number, nameLength: number, valueLength: number, id: number, bad: boolean): void {
    const { head } = this;
    // RFC 9113 §6.5.2 counts 32 octets for each field.
    this.listSize += nameLength + valueLength + 32;
    if (this.listSize > this.mostBytes || head.count >= this.mostFields) this.tooLarge = true;
    if (this.tooLarge) return;
    const mask = id < 0 ? 0 : 1 << id;
    if (bad || (mask & CONNECTION_SPECIFIC) !== 0) {
      this.malformed = true;
      return;
    }
    const length = nameLength + valueLength + 4;
    const at = this.at;
    if (at + length > head.bytes.length) this.grow(at + length);
    if ((mask & PSEUDOS) !== 0) {
      this.pseudo(line, start + nameLength + 2, valueLength, id, mask);
      return;
    }
    copySmall(line, start, head.bytes, at, length);
    this.at = at + length;
    if (id === field.COOKIE) this.cookies++;
    head.add(at, at + nameLength, at + nameLength + 2, at + length - 2, id);
  }

  private pseudo(line: Uint8Array, from: number, length: number, id: number, mask: number): void {
    const { head, at } = this;
    // §8.3: once each, and before all others.
    if ((this.pseudos & mask) !== 0 || head.count > 0) this.malformed = true;
    this.pseudos |= mask;
    copySmall(line, from, head.bytes, at, length);
    const end = at + length;
    this.at = end;
    if (id === field.PSEUDO_METHOD) {
      head.methodStart = at;
      head.methodEnd = end;
    } else if (id === field.PSEUDO_PATH) {
      head.targetStart = at;
      head.targetEnd = end;
    } else if (id === field.PSEUDO_AUTHORITY) {
      head.authorityStart = at;
      head.authorityEnd = end;
    } else if (id === field.PSEUDO_STATUS) {
      const text = head.bytes.toString('latin1', at, end);
      head.status = /^[1-9]\d\d$/.test(text) ? Number(text) : 0;
    } else if (!/^https?$/.test(head.bytes.toString('latin1', at, end))) this.malformed = true;
  }

  private grow(least: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.max(least, this.head.bytes.length * 2));
    this.head.bytes.copy(larger, 0, 0, this.at);
    this.head.bytes = larger;
  }

  /** Whether the block was a well-formed request (§8.3.1). */
  finishRequest(): boolean {
    const { head, pseudos } = this;
    if (!this.finishFields() || (pseudos & (1 << field.PSEUDO_STATUS)) !== 0) return false;
    const needed = field.maskOf(field.PSEUDO_METHOD, field.PSEUDO_PATH, field.PSEUDO_SCHEME);
    if ((pseudos & needed) !== needed) return false;
    return this.readAuthority() && isToken(head.bytes, head.methodStart, head.methodEnd) && isTarget(head);
  }

  /** Whether the block was a well-formed answer (§8.3.2). */
  finishAnswer(): boolean {
    return this.finishFields() && this.pseudos === 1 << field.PSEUDO_STATUS && this.head.status > 0;
  }

  /** Whether the block was well-formed trailers (§8.1). */
  finishTrailers(): boolean {
    return this.finishFields() && this.pseudos === 0;
  }

  private finishFields(): boolean {
    const { head } = this;
    if (this.malformed) return false;
    head.fieldsEnd = this.at;
    if (this.cookies > 1) this.joinCookies();
    head.end = head.fieldsEnd;
    if (head.has(field.TE) && head.valueOf(field.TE).toLowerCase() !== 'trailers') return false;
    return !head.has(field.CONTENT_LENGTH) || readContentLength(head);
  }

  /** §8.3.1: `:authority` and Host must say the same. */
  private readAuthority(): boolean {
    const { head } = this;
    const index = head.find(field.HOST);
    if (index >= 0) {
      for (let other = index + 1; other < head.count; other++) if (head.id(other) === field.HOST) return false;
      if ((this.pseudos & (1 << field.PSEUDO_AUTHORITY)) === 0) {
        head.authorityStart = head.valueStart(index);
        head.authorityEnd = head.valueEnd(index);
      } else if (head.value(index).toLowerCase() !== head.authority().toLowerCase()) return false;
    }
    return isAuthority(head.bytes, head.authorityStart, head.authorityEnd);
  }

  /** §8.2.3: crumbs of a cookie become one field again. */
  private joinCookies(): void {
    const { head } = this;
    const values: string[] = [];
    for (let index = 0; index < head.count; index++) {
      if (head.id(index) !== field.COOKIE) continue;
      values.push(head.value(index));
      head.setId(index, field.DROPPED);
    }
    const line = Buffer.from(`cookie: ${values.join('; ')}\r\n`, 'latin1');
    const at = this.at;
    if (at + line.length > head.bytes.length) this.grow(at + line.length);
    line.copy(head.bytes, at);
    this.at = at + line.length;
    head.add(at, at + 6, at + 8, this.at - 2, field.COOKIE);
    head.fieldsEnd = this.at;
  }
}

function isToken(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (TOKEN[bytes[at]!] !== 1) return false;
  return end > start && end - start <= 24;
}

const OPTIONS = Buffer.from('OPTIONS');

function isTarget(head: Head): boolean {
  const { bytes, targetStart, targetEnd } = head;
  for (let at = targetStart; at < targetEnd; at++) if (TARGET[bytes[at]!] !== 1) return false;
  if (bytes[targetStart] === 0x2f) return targetEnd > targetStart;
  return bytes[targetStart] === 0x2a && targetEnd - targetStart === 1 && head.isMethod(OPTIONS);
}

function readContentLength(head: Head): boolean {
  for (let index = 0; index < head.count; index++) {
    if (head.id(index) !== field.CONTENT_LENGTH) continue;
    const text = head.value(index);
    if (head.contentLength !== NO_LENGTH || !/^\d{1,15}$/.test(text) || head.name(index) !== 'content-length') {
      return false;
    }
    head.contentLength = Number(text);
  }
  return true;
}

/** A call into the runtime costs more than a few dozen octets by hand. */
function copySmall(from: Uint8Array, start: number, to: Uint8Array, at: number, length: number): void {
  if (length > 48) {
    to.set(from.subarray(start, start + length), at);
    return;
  }
  for (let i = 0; i < length; i++) to[at + i] = from[start + i]!;
}

/** A lasting copy of a head's fields, for trailers that must wait. */
export function fieldsCopy(head: Head): Fields {
  const copy = new Head();
  copy.reset(Buffer.from(head.bytes.subarray(0, head.fieldsEnd)));
  copy.offsets = head.offsets.slice(0, head.count * WIDTH);
  copy.count = head.count;
  copy.seen = head.seen;
  copy.fieldsEnd = head.fieldsEnd;
  return copy;
}
