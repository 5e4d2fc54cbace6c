import { type ASN1Value, parseASN1 } from '@oslojs/asn1';
import { Fault } from '../base/index.ts';
import { TAG } from './der-write.ts';

/** One element of strict DER: definite lengths in their shortest form, single-byte tags, nothing after the end. */
export interface Element {
  readonly tag: number;
  /** Content without tag and length. */
  readonly content: Buffer;
  /** Tag, length and content, as they were given: what a signature is over. */
  readonly whole: Buffer;
  /** Undefined for a primitive one. */
  readonly inside: readonly Element[] | undefined;
}

const MOST_CHILDREN = 10_000;
const DEEPEST = 64;
const CONSTRUCTED = 0x20;
const LONG_TAG = 0x1f;
const FIRST_NOT_UNIVERSAL = 0x40;

export function notDer(why: string): Fault {
  return new Fault({ code: 'malformed_der', detail: why, party: 'client', retry: 'never', status: 400 });
}

/** The single element that the bytes are. Throws a `Fault` of code `malformed_der`. */
export function readElement(bytes: Uint8Array): Element {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const element = firstElement(buffer, 0);
  if (element.whole.length !== buffer.length) throw notDer('bytes follow the end of the structure');
  return element;
}

/** The elements inside a constructed one. */
export function children(parent: Element): readonly Element[] {
  if (parent.inside === undefined) throw notDer(`tag 0x${parent.tag.toString(16)} has no elements inside it`);
  return parent.inside;
}

/** The element that the bytes begin with. Tag and length are read by the library, which takes what DER does not allow (X.690 §10.1). */
function firstElement(bytes: Buffer, depth: number): Element {
  if (depth > DEEPEST) throw notDer('elements nest too deep');
  if ((bytes[0]! & LONG_TAG) === LONG_TAG) throw notDer('a tag of several bytes, which no structure here has');
  if (bytes.length > 0) requireFormOfDer(bytes[0]!);
  if (bytes[1] === 0x80) throw notDer('an indefinite length');
  let value: ASN1Value;
  let size: number;
  try {
    // Of a Buffer, the library's slices are views.
    [value, size] = parseASN1(bytes);
  } catch {
    throw notDer('is no ASN.1, or is cut off');
  }
  const whole = bytes.subarray(0, size);
  const content = value.contents() as Buffer;
  if (size - content.length - 1 !== shortestLength(content.length)) throw notDer('a length not in its shortest form');
  const tag = bytes[0]!;
  return { tag, content, whole, inside: (tag & CONSTRUCTED) === 0 ? undefined : elementsOf(content, depth + 1) };
}

/** Of the universal types, sequences and sets are constructed and nothing else is (X.690 §10.2); 0 is none of them. */
function requireFormOfDer(tag: number): void {
  if (tag >= FIRST_NOT_UNIVERSAL) return;
  if (tag === 0) throw notDer('the tag 0, which is reserved');
  const constructed = tag | CONSTRUCTED;
  const holdsElements = constructed === TAG.sequence || constructed === TAG.set;
  if (holdsElements !== (tag === constructed)) throw notDer(`the tag 0x${tag.toString(16)}, which DER does not have`);
}

function elementsOf(content: Buffer, depth: number): Element[] {
  const elements: Element[] = [];
  for (let rest = content; rest.length > 0; rest = rest.subarray(elements.at(-1)!.whole.length)) {
    if (elements.length === MOST_CHILDREN) throw notDer('too many elements');
    elements.push(firstElement(rest, depth));
  }
  return elements;
}

/** Bytes that a length takes in its shortest form (X.690 §8.1.3). */
const shortestLength = (length: number): number => (length < 0x80 ? 1 : 1 + Math.ceil((32 - Math.clz32(length)) / 8));

/** The element if it has the tag; throws otherwise. `what` names it in the error. */
export function expectTag(found: Element | undefined, tag: number, what: string): Element {
  if (found === undefined) throw notDer(`${what} is missing`);
  if (found.tag !== tag) throw notDer(`${what} has tag 0x${found.tag.toString(16)}, not 0x${tag.toString(16)}`);
  return found;
}

export const sequenceOf = (found: Element | undefined, what: string): readonly Element[] =>
  children(expectTag(found, TAG.sequence, what));

/** An object identifier in its dotted form. */
export function oidText(found: Element | undefined, what: string): string {
  const { content } = expectTag(found, TAG.oid, what);
  if (content.length === 0 || content.length > 64 || content[content.length - 1]! >= 0x80)
    throw notDer(`${what} is no object identifier`);
  const arcs: number[] = [];
  let arc = 0;
  let fresh = true;
  for (const byte of content) {
    if (fresh && byte === 0x80) throw notDer(`${what} has an arc not in its shortest form`);
    arc = arc * 128 + (byte & 0x7f);
    fresh = byte < 0x80;
    if (arc > Number.MAX_SAFE_INTEGER) throw notDer(`${what} has an arc out of range`);
    if (fresh) {
      arcs.push(arc);
      arc = 0;
    }
  }
  const head = arcs[0]!;
  const first = Math.min(2, Math.floor(head / 40));
  return [first, head - first * 40, ...arcs.slice(1)].join('.');
}

/** The content bytes of a non-negative INTEGER, checked to be minimal. */
export function integerBytes(found: Element | undefined, what: string): Buffer {
  const { content } = expectTag(found, TAG.integer, what);
  if (content.length === 0) throw notDer(`${what} is empty`);
  if (content[0]! >= 0x80) throw notDer(`${what} is negative`);
  if (content.length > 1 && content[0] === 0 && content[1]! < 0x80) throw notDer(`${what} is not in its shortest form`);
  return content;
}

/** The bytes of a BIT STRING whose bits are all used. */
export function bitStringBytes(found: Element | undefined, what: string): Buffer {
  const { content } = expectTag(found, TAG.bitString, what);
  if (content.length === 0 || content[0] !== 0) throw notDer(`${what} is not a whole number of bytes`);
  return content.subarray(1);
}

export function booleanValue(found: Element, what: string): boolean {
  const { content } = expectTag(found, TAG.boolean, what);
  if (content.length !== 1 || (content[0] !== 0xff && content[0] !== 0)) throw notDer(`${what} is no DER boolean`);
  return content[0] === 0xff;
}

/** UTCTime or GeneralizedTime with seconds and Z (RFC 5280 §4.1.2.5), as milliseconds since the epoch. */
export function timeValue(found: Element | undefined, what: string): number {
  const text = found?.content.toString('latin1') ?? '';
  const utc = found?.tag === TAG.utcTime ? /^(\d\d)(\d{10})Z$/.exec(text) : null;
  const full = utc
    ? (Number(utc[1]) < 50 ? '20' : '19') + utc[1]! + utc[2]!
    : found?.tag === TAG.generalizedTime
      ? (/^(\d{14})Z$/.exec(text)?.[1] ?? '')
      : '';
  const [, y, mo, d, h, mi, s] = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/.exec(full) ?? [];
  const ms = Date.parse(`${y}-${mo}-${d}T${h}:${mi}:${s}Z`);
  // A 30 February would be taken for a day in March, and 24 o'clock for the next day.
  const exists = !Number.isNaN(ms) && new Date(ms).toISOString().replace(/\D/g, '').startsWith(full);
  if (y === undefined || !exists) throw notDer(`${what} is no time of RFC 5280`);
  return ms;
}
