import { AUTHORITY, CR, FIELD_VALUE, LF, SP, TARGET, TOKEN } from '../message/characters.ts';
import * as field from '../message/field-names.ts';
import type { Head } from '../message/head.ts';
import * as bad from '../message/malformed.ts';
import { parseFields, readFraming } from './parse-fields.ts';

const HEAD_END = Buffer.from('\r\n\r\n');
const LONGEST_METHOD = 24;

export interface HeadLimits {
  readonly headBytes: number;
  readonly headerCount: number;
}

/**
 * Reads the request head in `bytes[start, end)` into `head` (RFC 9112 §3, strictly). Returns the offset after it, 0 when
 * it is not complete yet, or a negative code (message/malformed.ts). `bytes` must stay as it is while `head` is in use;
 * after `end` it may have older ones.
 */
export function parseRequestHead(head: Head, bytes: Buffer, start: number, end: number, limits: HeadLimits): number {
  // RFC 9112 §2.2: one empty line before a request line is passed over.
  if (start + 2 <= end && bytes[start] === CR && bytes[start + 1] === LF) start += 2;
  const complete = headIsComplete(bytes, start, end, limits.headBytes);
  if (complete <= 0) return complete;
  head.reset(bytes);
  const fieldsStart = parseRequestLine(head, start);
  if (fieldsStart < 0) return fieldsStart;
  const after = parseFields(head, fieldsStart, limits.headerCount);
  if (after < 0) return after;
  head.end = after;
  const host = readAuthority(head);
  if (host < 0) return host;
  const framing = readFraming(head);
  return framing < 0 ? framing : after;
}

/** 1 when the empty line is there, 0 when it may still come, negative when it is too late or already wrong. */
function headIsComplete(bytes: Buffer, start: number, end: number, headBytes: number): number {
  const after = bytes.indexOf(HEAD_END, start) + 4;
  if (after >= 4 && after <= end) return after - start > headBytes ? bad.HEAD_TOO_LARGE : 1;
  if (end - start > headBytes) return bad.HEAD_TOO_LARGE;
  // A sender of bare line feeds would wait for us as we for it.
  for (let at = bytes.indexOf(LF, start); at >= 0 && at < end; at = bytes.indexOf(LF, at + 1)) {
    if (at === start || bytes[at - 1] !== CR) return bad.BAD_LINE_END;
  }
  return 0;
}

function parseRequestLine(head: Head, start: number): number {
  const bytes = head.bytes;
  let at = start;
  head.methodStart = at;
  while (TOKEN[bytes[at]!] === 1) at++;
  head.methodEnd = at;
  if (at === start || at - start > LONGEST_METHOD || bytes[at] !== SP) return bad.BAD_REQUEST_LINE;
  head.targetStart = ++at;
  while (TARGET[bytes[at]!] === 1) at++;
  head.targetEnd = at;
  if (at === head.targetStart) return bad.BAD_TARGET;
  if (bytes[at] !== SP) return bytes[at] === CR || bytes[at] === LF ? bad.BAD_REQUEST_LINE : bad.BAD_TARGET;
  at = parseVersion(head, at + 1);
  if (at < 0) return at;
  if (bytes[at] !== CR || bytes[at + 1] !== LF) return bad.BAD_LINE_END;
  return at + 2;
}

/** `HTTP/1.0` or `HTTP/1.1` at `at`; the offset after it. */
function parseVersion(head: Head, at: number): number {
  const bytes = head.bytes;
  const named =
    bytes[at] === 0x48 &&
    bytes[at + 1] === 0x54 &&
    bytes[at + 2] === 0x54 &&
    bytes[at + 3] === 0x50 &&
    bytes[at + 4] === 0x2f;
  if (!named) return bad.BAD_REQUEST_LINE;
  const minor = bytes[at + 7]! - 0x30;
  if (bytes[at + 5] !== 0x31 || bytes[at + 6] !== 0x2e || (minor !== 0 && minor !== 1)) return bad.BAD_VERSION;
  head.version = minor;
  return at + 8;
}

/** Host and target together say which service is asked (RFC 9112 §3.2). */
export function readAuthority(head: Head): number {
  const index = head.find(field.HOST);
  if (index < 0) return bad.BAD_HOST;
  for (let other = index + 1; other < head.count; other++) if (head.id(other) === field.HOST) return bad.BAD_HOST;
  head.authorityStart = head.valueStart(index);
  head.authorityEnd = head.valueEnd(index);
  if (!isAuthority(head.bytes, head.authorityStart, head.authorityEnd)) return bad.BAD_HOST;
  const first = head.bytes[head.targetStart];
  if (first === 0x2f) return 0;
  if (first === 0x2a && head.targetEnd - head.targetStart === 1) {
    return head.method() === 'OPTIONS' ? 0 : bad.BAD_TARGET;
  }
  if (head.method() === 'CONNECT') return bad.METHOD_REFUSED;
  return readAbsoluteTarget(head);
}

/** RFC 9112 §3.2.2: must be understood. A Host that says something else could be read either way. */
function readAbsoluteTarget(head: Head): number {
  const match = /^https?:\/\/([^/?]+)/i.exec(head.target());
  if (match === null) return bad.BAD_TARGET;
  if (match[1]!.toLowerCase() !== head.authority().toLowerCase()) return bad.BAD_HOST;
  const path = head.targetStart + match[0].length;
  // Nothing, or a query at once, after the authority would need a slash that is not there.
  if (head.bytes[path] !== 0x2f) return bad.BAD_TARGET;
  head.targetStart = path;
  return 0;
}

/** A name or address, and maybe a port. */
export function isAuthority(bytes: Uint8Array, start: number, end: number): boolean {
  if (end === start || end - start > 270) return false;
  let colon = -1;
  let bracket = false;
  for (let at = start; at < end; at++) {
    const octet = bytes[at]!;
    if (AUTHORITY[octet] !== 1) return false;
    if (octet === 0x5b) {
      if (at !== start) return false;
      bracket = true;
    } else if (octet === 0x5d) {
      if (!bracket || at === start + 1) return false;
      bracket = false;
      colon = -1;
      if (at + 1 < end && bytes[at + 1] !== 0x3a) return false;
    } else if (octet === 0x3a) {
      if (!bracket && colon >= 0) return false;
      colon = at;
    }
  }
  if (bracket || colon === start) return false;
  return colon < 0 || isPort(bytes, colon + 1, end);
}

function isPort(bytes: Uint8Array, start: number, end: number): boolean {
  if (end === start || end - start > 5) return false;
  for (let at = start; at < end; at++) if (bytes[at]! < 0x30 || bytes[at]! > 0x39) return false;
  return true;
}

/** Reads an answer's head (RFC 9112 §4) as `parseRequestHead` does. `end` is where the bytes end. */
export function parseResponseHead(head: Head, bytes: Buffer, start: number, end: number, limits: HeadLimits): number {
  // The buffer may have older bytes after `end`.
  const at = bytes.indexOf(HEAD_END, start);
  if (at < 0 || at + 4 > end) return end - start > limits.headBytes ? bad.HEAD_TOO_LARGE : 0;
  if (at + 4 - start > limits.headBytes) return bad.HEAD_TOO_LARGE;
  head.reset(bytes);
  const fieldsStart = parseStatusLine(head, start);
  if (fieldsStart < 0) return fieldsStart;
  const after = parseFields(head, fieldsStart, limits.headerCount);
  if (after < 0) return after;
  head.end = after;
  const framing = readFraming(head);
  return framing < 0 ? framing : after;
}

function parseStatusLine(head: Head, start: number): number {
  const bytes = head.bytes;
  let at = parseVersion(head, start);
  if (at < 0 || bytes[at] !== SP) return bad.BAD_STATUS_LINE;
  const hundreds = bytes[at + 1]! - 0x30;
  const tens = bytes[at + 2]! - 0x30;
  const ones = bytes[at + 3]! - 0x30;
  if (hundreds < 1 || hundreds > 9 || tens < 0 || tens > 9 || ones < 0 || ones > 9) return bad.BAD_STATUS_LINE;
  head.status = hundreds * 100 + tens * 10 + ones;
  at += 4;
  // The space before an absent reason phrase is often absent too.
  if (bytes[at] !== SP && bytes[at] !== CR) return bad.BAD_STATUS_LINE;
  // The reason phrase is kept as the target: the one text of a start line.
  head.targetStart = bytes[at] === SP ? at + 1 : at;
  while (FIELD_VALUE[bytes[at]!] === 1) at++;
  head.targetEnd = at;
  if (bytes[at] !== CR || bytes[at + 1] !== LF) return bad.BAD_STATUS_LINE;
  return at + 2;
}
