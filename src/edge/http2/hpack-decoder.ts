import { FIELD_VALUE, HTAB, LOWER_TOKEN, SP } from '../message/characters.ts';
import * as field from '../message/field-names.ts';
import { decodeHuffman } from './huffman.ts';
import { STATIC_TABLE } from './static-table.ts';

/** A field of a table: its line as HTTP/1.1 writes it, so that a use of it is one copy. */
export interface TableEntry {
  /** `name: value CRLF` */
  readonly line: Uint8Array;
  readonly nameLength: number;
  readonly valueLength: number;
  readonly id: number;
  /** Not allowed in a message (RFC 9113 §8.2); kept all the same, since both ends must have the same table. */
  readonly bad: boolean;
}

/** Takes the fields of a block in order. The octets are read during the call. */
export interface FieldSink {
  add(line: Uint8Array, start: number, nameLength: number, valueLength: number, id: number, bad: boolean): void;
}

const PSEUDO: Readonly<Record<string, number>> = {
  ':method': field.PSEUDO_METHOD,
  ':path': field.PSEUDO_PATH,
  ':scheme': field.PSEUDO_SCHEME,
  ':authority': field.PSEUDO_AUTHORITY,
  ':status': field.PSEUDO_STATUS,
};

/** The number of an HTTP/2 field name, or -1 when no field may be called so. */
function idOf(bytes: Buffer, start: number, end: number): number {
  if (end === start) return -1;
  if (bytes[start] === 0x3a) return PSEUDO[bytes.toString('latin1', start, end)] ?? -1;
  for (let at = start; at < end; at++) if (LOWER_TOKEN[bytes[at]!] !== 1) return -1;
  return field.fieldId(bytes, start, end);
}

function isBadValue(bytes: Uint8Array, start: number, end: number): boolean {
  if (end === start) return false;
  for (let at = start; at < end; at++) if (FIELD_VALUE[bytes[at]!] !== 1) return true;
  // RFC 9113 §8.2.1: no white space around a value.
  const first = bytes[start];
  const last = bytes[end - 1];
  return first === SP || first === HTAB || last === SP || last === HTAB;
}

function staticEntry([name, value]: readonly [string, string]): TableEntry {
  const line = Buffer.from(`${name}: ${value}\r\n`, 'latin1');
  return { line, nameLength: name.length, valueLength: value.length, id: idOf(line, 0, name.length), bad: false };
}
const STATIC: readonly TableEntry[] = STATIC_TABLE.map(staticEntry);

/** Most octets of one block, as sent. Decoded, a string is at most 8/5 as long. */
export const MOST_BLOCK_BYTES = 64 * 1024;
const scratch = Buffer.allocUnsafeSlow(MOST_BLOCK_BYTES * 2 + 64);

const ENTRY_OVERHEAD = 32;

/** One direction's header compression state (RFC 7541), reading side. */
export class HpackDecoder {
  /** Newest last; `first` is the oldest that is left. */
  private entries: TableEntry[] = [];
  private first = 0;
  private size = 0;
  private maxSize: number;
  /** What we told the peer it may use. */
  private readonly allowed: number;
  private bytes: Buffer = scratch;
  private at = 0;
  private end = 0;

  constructor(allowed: number) {
    this.allowed = allowed;
    this.maxSize = allowed;
  }

  /** Reads a whole block, giving its fields to `sink`. False when the state is lost: a connection error. */
  decode(bytes: Buffer, start: number, end: number, sink: FieldSink): boolean {
    this.bytes = bytes;
    this.at = start;
    this.end = end;
    let begun = false;
    while (this.at < end) {
      const octet = bytes[this.at]!;
      if (octet >= 0x80) {
        const index = this.integer(0x7f);
        const entry = index > 0 ? this.entry(index) : undefined;
        if (entry === undefined) return false;
        sink.add(entry.line, 0, entry.nameLength, entry.valueLength, entry.id, entry.bad);
      } else if (octet >= 0x40) {
        if (!this.literal(0x3f, true, sink)) return false;
      } else if (octet >= 0x20) {
        // §4.2: only at the start of a block.
        const size = this.integer(0x1f);
        if (begun || size < 0 || size > this.allowed) return false;
        this.maxSize = size;
        this.evict(0);
        continue;
      } else if (!this.literal(0x0f, false, sink)) return false;
      begun = true;
    }
    return true;
  }

  private entry(index: number): TableEntry | undefined {
    return index <= STATIC.length ? STATIC[index - 1] : this.dynamic(index - STATIC.length);
  }

  private dynamic(index: number): TableEntry | undefined {
    const at = this.entries.length - index;
    return at >= this.first ? this.entries[at] : undefined;
  }

  private literal(mask: number, keep: boolean, sink: FieldSink): boolean {
    const index = this.integer(mask);
    if (index < 0) return false;
    let nameEnd: number;
    let id: number;
    if (index > 0) {
      const named = this.entry(index);
      if (named === undefined) return false;
      scratch.set(named.line.subarray(0, named.nameLength), 0);
      nameEnd = named.nameLength;
      // A bad value does not make the name bad.
      id = named.bad ? idOf(scratch, 0, nameEnd) : named.id;
    } else {
      nameEnd = this.string(0);
      if (nameEnd < 0) return false;
      id = idOf(scratch, 0, nameEnd);
    }
    scratch[nameEnd] = 0x3a;
    scratch[nameEnd + 1] = SP;
    const valueStart = nameEnd + 2;
    const valueEnd = this.string(valueStart);
    if (valueEnd < 0) return false;
    scratch[valueEnd] = 0x0d;
    scratch[valueEnd + 1] = 0x0a;
    const bad = id < 0 || isBadValue(scratch, valueStart, valueEnd);
    sink.add(scratch, 0, nameEnd, valueEnd - valueStart, id, bad);
    if (keep) this.insert(nameEnd, valueEnd - valueStart, id, bad);
    return true;
  }

  private insert(nameLength: number, valueLength: number, id: number, bad: boolean): void {
    const size = nameLength + valueLength + ENTRY_OVERHEAD;
    this.evict(size);
    // §4.4: one that is larger than the table empties it.
    if (size > this.maxSize) return;
    const line = new Uint8Array(nameLength + valueLength + 4);
    line.set(scratch.subarray(0, line.length));
    this.entries.push({ line, nameLength, valueLength, id, bad });
    this.size += size;
  }

  /** Makes room for `size` octets more. */
  private evict(size: number): void {
    while (this.size + size > this.maxSize && this.first < this.entries.length) {
      const { nameLength, valueLength } = this.entries[this.first]!;
      this.size -= nameLength + valueLength + ENTRY_OVERHEAD;
      this.first++;
    }
    if (this.first > 128) {
      this.entries = this.entries.slice(this.first);
      this.first = 0;
    }
  }

  /** §5.1; -1 when it is cut off or too large. */
  private integer(mask: number): number {
    const { bytes, end } = this;
    let value = bytes[this.at++]! & mask;
    if (value < mask) return value;
    for (let shift = 0; shift <= 21; shift += 7) {
      if (this.at >= end) return -1;
      const octet = bytes[this.at++]!;
      value += (octet & 0x7f) << shift;
      if (octet < 0x80) return value;
    }
    return -1;
  }

  /** §5.2, into the scratch from `to`; where it ends there, or -1. */
  private string(to: number): number {
    if (this.at >= this.end) return -1;
    const huffman = this.bytes[this.at]! >= 0x80;
    const length = this.integer(0x7f);
    const start = this.at;
    const stop = start + length;
    if (length < 0 || stop > this.end) return -1;
    this.at = stop;
    if (huffman) return decodeHuffman(this.bytes, start, stop, scratch, to);
    this.bytes.copy(scratch, to, start, stop);
    return to + length;
  }
}
