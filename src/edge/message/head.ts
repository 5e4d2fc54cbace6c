import { OTHER } from './field-names.ts';

/** Numbers a field takes in `Fields.offsets`. */
export const WIDTH = 5;
const NAME_START = 0;
const NAME_END = 1;
const VALUE_START = 2;
const VALUE_END = 3;
const ID = 4;

const EMPTY = Buffer.alloc(0);

/**
 * Header fields as offsets into the bytes they came in, so that a field that only passes through is never made a string.
 * Lines stand one after the other as `name: value CRLF`, in both protocols, so that a run of them is copied at once.
 */
export class Fields {
  bytes: Buffer = EMPTY;
  offsets: Int32Array;
  count = 0;
  /** Where the last line ends. */
  fieldsEnd = 0;
  /** Bit mask of the field numbers that occur. */
  seen = 0;

  constructor(room = 24) {
    this.offsets = new Int32Array(room * WIDTH);
  }

  add(nameStart: number, nameEnd: number, valueStart: number, valueEnd: number, id: number): void {
    const at = this.count * WIDTH;
    if (at + WIDTH > this.offsets.length) this.grow();
    const offsets = this.offsets;
    offsets[at + NAME_START] = nameStart;
    offsets[at + NAME_END] = nameEnd;
    offsets[at + VALUE_START] = valueStart;
    offsets[at + VALUE_END] = valueEnd;
    offsets[at + ID] = id;
    this.count++;
    this.seen |= 1 << id;
  }
  private grow(): void {
    const larger = new Int32Array(Math.max(this.offsets.length * 2, WIDTH));
    larger.set(this.offsets);
    this.offsets = larger;
  }
  nameStart(index: number): number {
    return this.offsets[index * WIDTH + NAME_START]!;
  }
  nameEnd(index: number): number {
    return this.offsets[index * WIDTH + NAME_END]!;
  }
  valueStart(index: number): number {
    return this.offsets[index * WIDTH + VALUE_START]!;
  }
  valueEnd(index: number): number {
    return this.offsets[index * WIDTH + VALUE_END]!;
  }
  id(index: number): number {
    return this.offsets[index * WIDTH + ID]!;
  }
  setId(index: number, id: number): void {
    this.offsets[index * WIDTH + ID] = id;
    this.seen |= 1 << id;
  }
  /** Where the field's line ends, its CRLF included. */
  lineEnd(index: number): number {
    return index + 1 < this.count ? this.nameStart(index + 1) : this.fieldsEnd;
  }
  has(id: number): boolean {
    return (this.seen & (1 << id)) !== 0;
  }
  /** Index of the first field with this number, or -1. */
  find(id: number): number {
    if (!this.has(id)) return -1;
    for (let index = 0; index < this.count; index++) if (this.id(index) === id) return index;
    return -1;
  }
  name(index: number): string {
    return this.bytes.toString('latin1', this.nameStart(index), this.nameEnd(index));
  }
  value(index: number): string {
    return this.bytes.toString('latin1', this.valueStart(index), this.valueEnd(index));
  }
  /** Value of the first field with this number, `''` without one. */
  valueOf(id: number): string {
    const index = this.find(id);
    return index < 0 ? '' : this.value(index);
  }
  /** Value of the first field with this lower-case name, `''` without one. */
  valueOfName(name: string): string {
    for (let index = 0; index < this.count; index++) {
      if (this.nameEnd(index) - this.nameStart(index) === name.length && this.name(index).toLowerCase() === name) {
        return this.value(index);
      }
    }
    return '';
  }
  resetFields(bytes: Buffer): void {
    this.bytes = bytes;
    this.count = 0;
    this.fieldsEnd = 0;
    this.seen = 0;
  }
}

/** Fields made of strings, for the few that we write ourselves. Names and values are trusted to be valid. */
export function fieldsOf(entries: readonly (readonly [string, string])[]): Fields {
  const fields = new Fields(entries.length);
  const lines = entries.map(([name, value]) => `${name}: ${value}\r\n`);
  fields.bytes = Buffer.from(lines.join(''), 'latin1');
  let at = 0;
  entries.forEach(([name, value], index) => {
    const valueStart = at + name.length + 2;
    fields.add(at, at + name.length, valueStart, valueStart + value.length, OTHER);
    at += lines[index]!.length;
  });
  fields.fieldsEnd = at;
  return fields;
}

export const CONNECTION_CLOSE = 1;
export const CONNECTION_KEEP_ALIVE = 2;
export const CONNECTION_UPGRADE = 4;
/** Names other fields, which are then hop-by-hop too. */
export const CONNECTION_NAMES_FIELDS = 8;

export const NO_LENGTH = -1;

/** The head of a request or an answer, whichever protocol it came in. */
export class Head extends Fields {
  /** 0, 1 for HTTP/1.x; 2 for HTTP/2. */
  version: 0 | 1 | 2 = 1;
  methodStart = 0;
  methodEnd = 0;
  /** Path and query in origin form, or `*`. */
  targetStart = 0;
  targetEnd = 0;
  /** Host and port, as in Host or `:authority`. */
  authorityStart = 0;
  authorityEnd = 0;
  /** Of an answer. */
  status = 0;
  /** Declared octets of the body; NO_LENGTH when none are declared. */
  contentLength = NO_LENGTH;
  chunked = false;
  /** CONNECTION_* flags. */
  connection = 0;
  /** Past the empty line. */
  end = 0;

  reset(bytes: Buffer): void {
    this.resetFields(bytes);
    this.version = 1;
    this.methodStart = this.methodEnd = this.targetStart = this.targetEnd = 0;
    this.authorityStart = this.authorityEnd = 0;
    this.status = 0;
    this.contentLength = NO_LENGTH;
    this.chunked = false;
    this.connection = 0;
    this.end = 0;
  }
  method(): string {
    return this.bytes.toString('latin1', this.methodStart, this.methodEnd);
  }
  target(): string {
    return this.bytes.toString('latin1', this.targetStart, this.targetEnd);
  }
  authority(): string {
    return this.bytes.toString('latin1', this.authorityStart, this.authorityEnd);
  }
  isMethod(method: Buffer): boolean {
    return (
      this.methodEnd - this.methodStart === method.length &&
      this.bytes.compare(method, 0, method.length, this.methodStart, this.methodEnd) === 0
    );
  }
}
