import { LOWER } from '../message/characters.ts';
import * as field from '../message/field-names.ts';
import type { Fields } from '../message/head.ts';
import { STATIC_TABLE } from './static-table.ts';

interface Entry {
  /** `name` and `value`, one after the other. */
  readonly bytes: Uint8Array;
  readonly nameLength: number;
  readonly hash: number;
  /** How many were inserted before it. */
  readonly number: number;
}

const ENTRY_OVERHEAD = 32;
const HASH_START = 0x811c9dc5;
const hashStep = (hash: number, octet: number) => Math.imul(hash ^ octet, 0x01000193);
const nameHash = (name: string) => {
  let hash = HASH_START;
  for (let i = 0; i < name.length; i++) hash = hashStep(hash, name.charCodeAt(i));
  return hash;
};

const STATIC_NAMES = new Map<number, { readonly name: string; readonly index: number }>();
STATIC_TABLE.forEach(([name], at) => {
  const hash = nameHash(name);
  if (!STATIC_NAMES.has(hash)) STATIC_NAMES.set(hash, { name, index: at + 1 });
});
/** Name and value both; `number` is the index. */
const STATIC_PAIRS = new Map<number, Entry>();
STATIC_TABLE.forEach(([name, value], at) => {
  if (value === '') return;
  let hash = hashStep(nameHash(name), 0x3a);
  for (let i = 0; i < value.length; i++) hash = hashStep(hash, value.charCodeAt(i));
  STATIC_PAIRS.set(hash, { bytes: Buffer.from(name + value), nameLength: name.length, hash, number: at + 1 });
});
const STATIC_STATUS = new Map([
  [200, 8],
  [204, 9],
  [206, 10],
  [304, 11],
  [400, 12],
  [404, 13],
  [500, 14],
]);
const STATUS_NAME = 8;
const SEEN_SLOTS = 256;

/** Most octets a field needs beyond those of its name and value. */
export const FIELD_SLACK = 16;

/**
 * One direction's header compression state (RFC 7541), writing side. A field enters the table when it is seen for the
 * second time, so that values that never come back do not push out those that do. Without Huffman coding: what repeats
 * is an index anyway.
 */
export class HpackEncoder {
  private entries: Entry[] = [];
  private first = 0;
  private inserted = 0;
  private size = 0;
  private maxSize: number;
  /** The smallest size since the last block, when it changed: the peer must evict as we did (§4.2). */
  private lowest = -1;
  private readonly byHash = new Map<number, Entry>();
  private readonly seen = new Int32Array(SEEN_SLOTS);

  constructor(maxSize: number) {
    this.maxSize = maxSize;
  }

  /** The peer's SETTINGS_HEADER_TABLE_SIZE; we never use more than 4096. */
  limit(size: number): void {
    const wanted = Math.min(size, 4_096);
    if (wanted === this.maxSize) return;
    this.maxSize = wanted;
    this.lowest = this.lowest < 0 ? wanted : Math.min(this.lowest, wanted);
    this.evict(0);
  }

  /** To be called first for each block; `out` has room. */
  begin(out: Buffer, at: number): number {
    const { lowest } = this;
    if (lowest < 0) return at;
    this.lowest = -1;
    if (lowest < this.maxSize) at = writeInteger(out, at, 0x20, 0x1f, lowest);
    return writeInteger(out, at, 0x20, 0x1f, this.maxSize);
  }

  status(out: Buffer, at: number, status: number): number {
    const index = STATIC_STATUS.get(status);
    if (index !== undefined) {
      out[at] = 0x80 | index;
      return at + 1;
    }
    out[at++] = STATUS_NAME;
    out[at++] = 3;
    return at + out.write(String(status), at, 'latin1');
  }

  /** All fields whose number is not in `drop`, names in lower case. */
  fields(out: Buffer, at: number, fields: Fields, drop: number): number {
    for (let index = 0; index < fields.count; index++) {
      if ((drop & (1 << fields.id(index))) === 0) at = this.field(out, at, fields, index);
    }
    return at;
  }

  private field(out: Buffer, at: number, fields: Fields, index: number): number {
    const { bytes } = fields;
    // §7.1.3: what could be guessed by watching sizes is never indexed.
    const secret = fields.id(index) === field.SENSITIVE;
    return this.write(
      out,
      at,
      bytes,
      fields.nameStart(index),
      fields.nameEnd(index),
      bytes,
      fields.valueStart(index),
      fields.valueEnd(index),
      secret,
    );
  }

  /** A field whose (lower-case) name stands elsewhere than its value, as pseudo-header fields do. */
  pair(out: Buffer, at: number, name: Buffer, value: Buffer, start = 0, end = value.length): number {
    return this.write(out, at, name, 0, name.length, value, start, end, false);
  }

  private write(
    out: Buffer,
    at: number,
    bytes: Buffer,
    nameStart: number,
    nameEnd: number,
    values: Buffer,
    valueStart: number,
    valueEnd: number,
    secret: boolean,
  ): number {
    let hash = HASH_START;
    for (let i = nameStart; i < nameEnd; i++) hash = hashStep(hash, LOWER[bytes[i]!]!);
    const named = hash;
    if (!secret) {
      hash = hashStep(hash, 0x3a);
      for (let i = valueStart; i < valueEnd; i++) hash = hashStep(hash, values[i]!);
      const known = STATIC_PAIRS.get(hash);
      if (known !== undefined && matches(known, bytes, nameStart, nameEnd, values, valueStart, valueEnd)) {
        out[at] = 0x80 | known.number;
        return at + 1;
      }
      const entry = this.byHash.get(hash);
      if (entry !== undefined && matches(entry, bytes, nameStart, nameEnd, values, valueStart, valueEnd)) {
        return writeInteger(out, at, 0x80, 0x7f, STATIC_TABLE.length + this.inserted - entry.number);
      }
    }
    const slot = hash & (SEEN_SLOTS - 1);
    const keep = !secret && this.seen[slot] === hash;
    this.seen[slot] = hash;
    const nameIndex = this.nameIndex(named, bytes, nameStart, nameEnd);
    if (keep) {
      at = writeInteger(out, at, 0x40, 0x3f, nameIndex);
      this.insert(hash, bytes, nameStart, nameEnd, values, valueStart, valueEnd);
    } else at = secret ? writeInteger(out, at, 0x10, 0x0f, nameIndex) : writeInteger(out, at, 0, 0x0f, nameIndex);
    if (nameIndex === 0) {
      at = writeInteger(out, at, 0, 0x7f, nameEnd - nameStart);
      for (let i = nameStart; i < nameEnd; i++) out[at++] = LOWER[bytes[i]!]!;
    }
    return writeString(out, at, values, valueStart, valueEnd);
  }

  private nameIndex(hash: number, bytes: Uint8Array, start: number, end: number): number {
    const known = STATIC_NAMES.get(hash);
    if (known === undefined || known.name.length !== end - start) return 0;
    for (let i = start; i < end; i++) if (LOWER[bytes[i]!] !== known.name.charCodeAt(i - start)) return 0;
    return known.index;
  }

  private insert(
    hash: number,
    bytes: Uint8Array,
    nameStart: number,
    nameEnd: number,
    values: Uint8Array,
    valueStart: number,
    valueEnd: number,
  ): void {
    const nameLength = nameEnd - nameStart;
    const size = nameLength + valueEnd - valueStart + ENTRY_OVERHEAD;
    this.evict(size);
    if (size > this.maxSize) return;
    const kept = new Uint8Array(nameLength + valueEnd - valueStart);
    for (let i = 0; i < nameLength; i++) kept[i] = LOWER[bytes[nameStart + i]!]!;
    kept.set(values.subarray(valueStart, valueEnd), nameLength);
    const entry = { bytes: kept, nameLength, hash, number: this.inserted++ };
    this.entries.push(entry);
    this.size += size;
    this.byHash.set(hash, entry);
  }

  private evict(size: number): void {
    while (this.size + size > this.maxSize && this.first < this.entries.length) {
      const entry = this.entries[this.first++]!;
      this.size -= entry.bytes.length + ENTRY_OVERHEAD;
      if (this.byHash.get(entry.hash) === entry) this.byHash.delete(entry.hash);
    }
    if (this.first > 128) {
      this.entries = this.entries.slice(this.first);
      this.first = 0;
    }
  }
}

function matches(
  entry: Entry,
  bytes: Uint8Array,
  nameStart: number,
  nameEnd: number,
  values: Uint8Array,
  valueStart: number,
  valueEnd: number,
): boolean {
  const { bytes: kept, nameLength } = entry;
  if (nameLength !== nameEnd - nameStart || kept.length !== nameLength + valueEnd - valueStart) return false;
  for (let i = 0; i < nameLength; i++) if (kept[i] !== LOWER[bytes[nameStart + i]!]) return false;
  for (let i = nameLength, from = valueStart; i < kept.length; i++, from++) if (kept[i] !== values[from]) return false;
  return true;
}

/** §5.1: `first` has the pattern's bits, `mask` the room for the value in the first octet. */
export function writeInteger(out: Buffer, at: number, first: number, mask: number, value: number): number {
  if (value < mask) {
    out[at] = first | value;
    return at + 1;
  }
  out[at++] = first | mask;
  let rest = value - mask;
  while (rest >= 0x80) {
    out[at++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  out[at++] = rest;
  return at;
}

/** A string as it is, without Huffman coding. */
export function writeString(out: Buffer, at: number, bytes: Buffer, start: number, end: number): number {
  at = writeInteger(out, at, 0, 0x7f, end - start);
  return at + bytes.copy(out, at, start, end);
}
