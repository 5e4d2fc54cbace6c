import { COLON, CR, FIELD_VALUE, HTAB, LF, LOWER, SP, TOKEN } from '../message/characters.ts';
import * as field from '../message/field-names.ts';
import {
  CONNECTION_CLOSE,
  CONNECTION_KEEP_ALIVE,
  CONNECTION_NAMES_FIELDS,
  CONNECTION_UPGRADE,
  type Fields,
  type Head,
  NO_LENGTH,
} from '../message/head.ts';
import * as bad from '../message/malformed.ts';

/**
 * Reads field lines from `at` up to the empty line, which is known to be there. Returns the offset after it, or a
 * negative code (message/malformed.ts). RFC 9112 §5, without obs-fold and without spaces before the colon.
 */
export function parseFields(fields: Fields, at: number, maxFields: number): number {
  const bytes = fields.bytes;
  for (;;) {
    const nameStart = at;
    while (TOKEN[bytes[at]!] === 1) at++;
    if (at === nameStart) {
      if (bytes[at] === CR && bytes[at + 1] === LF) {
        fields.fieldsEnd = at;
        return at + 2;
      }
      return bytes[at] === SP || bytes[at] === HTAB ? bad.FOLDED_LINE : bad.BAD_FIELD_NAME;
    }
    if (bytes[at] !== COLON) return bad.BAD_FIELD_NAME;
    const nameEnd = at++;
    while (bytes[at] === SP || bytes[at] === HTAB) at++;
    const valueStart = at;
    while (FIELD_VALUE[bytes[at]!] === 1) at++;
    if (bytes[at] !== CR) return bytes[at] === LF ? bad.BAD_LINE_END : bad.BAD_FIELD_VALUE;
    if (bytes[at + 1] !== LF) return bad.BAD_LINE_END;
    let valueEnd = at;
    while (valueEnd > valueStart && (bytes[valueEnd - 1] === SP || bytes[valueEnd - 1] === HTAB)) valueEnd--;
    if (fields.count >= maxFields) return bad.TOO_MANY_FIELDS;
    fields.add(nameStart, nameEnd, valueStart, valueEnd, field.fieldId(bytes, nameStart, nameEnd));
    at += 2;
  }
}

const FRAMING = field.maskOf(field.CONTENT_LENGTH, field.TRANSFER_ENCODING, field.CONNECTION);

/** Reads what the fields say about the message itself. Returns 0 or a negative code. */
export function readFraming(head: Head): number {
  if ((head.seen & FRAMING) === 0) return 0;
  for (let index = 0; index < head.count; index++) {
    const id = head.id(index);
    let code = 0;
    if (id === field.CONTENT_LENGTH) code = readLength(head, index);
    else if (id === field.TRANSFER_ENCODING) code = readCoding(head, index);
    else if (id === field.CONNECTION) readConnection(head, index);
    if (code < 0) return code;
  }
  // RFC 9112 §6.1: both together is how smuggled requests look.
  return head.chunked && head.contentLength !== NO_LENGTH ? bad.BAD_LENGTH : 0;
}

// 15 digits stay exact in a double and are more than any body.
const MOST_LENGTH_DIGITS = 15;

function readLength(head: Head, index: number): number {
  // Even equal repetitions are refused (RFC 9112 §6.3 leaves the choice), and so is `Content_Length`.
  if (head.contentLength !== NO_LENGTH || head.bytes[head.nameStart(index) + 7] !== 0x2d) return bad.BAD_LENGTH;
  const start = head.valueStart(index);
  const end = head.valueEnd(index);
  if (end === start || end - start > MOST_LENGTH_DIGITS || head.bytes[end] === HTAB) return bad.BAD_LENGTH;
  let length = 0;
  for (let at = start; at < end; at++) {
    const digit = head.bytes[at]! - 0x30;
    if (digit < 0 || digit > 9) return bad.BAD_LENGTH;
    length = length * 10 + digit;
  }
  head.contentLength = length;
  return 0;
}

const CHUNKED = Buffer.from('chunked');

function readCoding(head: Head, index: number): number {
  // RFC 9112 §6.1: an HTTP/1.0 message with a transfer coding is faulty.
  if (head.chunked || head.version === 0 || head.bytes[head.nameStart(index) + 8] !== 0x2d) return bad.BAD_CODING;
  const start = head.valueStart(index);
  const end = head.valueEnd(index);
  // A tab after it is allowed (RFC 9110 §5.5), and llhttp reads another coding then.
  if (head.bytes[end] === HTAB) return bad.BAD_CODING;
  if (!tokenIs(head.bytes, start, end, CHUNKED)) {
    const text = head.value(index).toLowerCase();
    return /^(gzip|x-gzip|deflate|compress|x-compress)\b/.test(text) ? bad.UNKNOWN_CODING : bad.BAD_CODING;
  }
  head.chunked = true;
  return 0;
}

const CLOSE = Buffer.from('close');
const KEEP_ALIVE = Buffer.from('keep-alive');
const UPGRADE = Buffer.from('upgrade');
const TE = Buffer.from('te');

function readConnection(head: Head, index: number): void {
  const bytes = head.bytes;
  const end = head.valueEnd(index);
  let at = head.valueStart(index);
  while (at < end) {
    const start = at;
    while (at < end && bytes[at] !== 0x2c) at++;
    let from = start;
    let to = at;
    while (from < to && (bytes[from] === SP || bytes[from] === HTAB)) from++;
    while (to > from && (bytes[to - 1] === SP || bytes[to - 1] === HTAB)) to--;
    if (tokenIs(bytes, from, to, KEEP_ALIVE)) head.connection |= CONNECTION_KEEP_ALIVE;
    else if (tokenIs(bytes, from, to, CLOSE)) head.connection |= CONNECTION_CLOSE;
    else if (tokenIs(bytes, from, to, UPGRADE)) head.connection |= CONNECTION_UPGRADE;
    // TE is taken out in any case.
    else if (to > from && !tokenIs(bytes, from, to, TE)) head.connection |= CONNECTION_NAMES_FIELDS;
    at++;
  }
}

/** Whether the octets are this lower-case token, in any case. */
export function tokenIs(bytes: Uint8Array, start: number, end: number, token: Uint8Array): boolean {
  if (end - start !== token.length) return false;
  for (let i = 0; i < token.length; i++) if (LOWER[bytes[start + i]!] !== token[i]) return false;
  return true;
}
