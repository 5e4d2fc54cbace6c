import { http } from '../../base/index.ts';
import type { OutgoingAnswer, OutgoingRequest } from '../forward/outgoing.ts';
import * as field from '../message/field-names.ts';
import type { Fields, Head } from '../message/head.ts';

/** Room that a head needs beyond the octets it is made of. */
export const HEAD_SLACK = 1_024;

const REQUEST_END = Buffer.from(' HTTP/1.1\r\nhost: ');
const CHUNKED_LINE = Buffer.from('transfer-encoding: chunked\r\n');
const TE_LINE = Buffer.from('te: trailers\r\nconnection: te\r\n');
const EMPTY_LENGTH = Buffer.from('content-length: 0\r\n');
const CLOSE_LINE = Buffer.from('connection: close\r\n');
const KEEP_ALIVE_LINE = Buffer.from('connection: keep-alive\r\n');

function put(out: Buffer, at: number, octets: Buffer): number {
  out.set(octets, at);
  return at + octets.length;
}

/** Most octets that `writeRequestHead` may need. */
export function requestHeadRoom({ head, extra, target, authority, upgrade }: OutgoingRequest): number {
  let room = head.fieldsEnd + head.targetEnd + head.authorityEnd + HEAD_SLACK;
  for (const fields of extra) room += fields.fieldsEnd;
  return room + (target?.length ?? 0) + (authority?.length ?? 0) + 2 * (upgrade?.length ?? 0);
}

/** Writes the request's head into `out` from `at`; the offset after it. */
export function writeRequestHead(out: Buffer, at: number, request: OutgoingRequest): number {
  const { head, target, authority, upgrade } = request;
  const { bytes } = head;
  at += bytes.copy(out, at, head.methodStart, head.methodEnd);
  out[at++] = 0x20;
  if (target === undefined) at += bytes.copy(out, at, head.targetStart, head.targetEnd);
  else at += out.write(target, at, 'latin1');
  at = put(out, at, REQUEST_END);
  if (authority === undefined) at += bytes.copy(out, at, head.authorityStart, head.authorityEnd);
  else at += out.write(authority, at, 'latin1');
  out[at++] = 0x0d;
  out[at++] = 0x0a;
  at = writeKept(out, at, head, request.drop);
  for (let i = 0; i < request.extra.length; i++) at = writeAll(out, at, request.extra[i]!);
  if (upgrade !== undefined) at += out.write(`connection: upgrade\r\nupgrade: ${upgrade}\r\n`, at, 'latin1');
  else if (request.trailers) at = put(out, at, TE_LINE);
  if (request.body === 'stream') at = put(out, at, CHUNKED_LINE);
  out[at++] = 0x0d;
  out[at++] = 0x0a;
  return at;
}

/** Copies the lines that are not dropped, each run of them at once. */
export function writeKept(out: Buffer, at: number, fields: Fields, drop: number): number {
  const { count, bytes } = fields;
  if ((fields.seen & drop) === 0) {
    return count === 0 ? at : at + bytes.copy(out, at, fields.nameStart(0), fields.fieldsEnd);
  }
  let from = -1;
  for (let index = 0; index < count; index++) {
    const dropped = (drop & (1 << fields.id(index))) !== 0;
    if (!dropped && from < 0) from = fields.nameStart(index);
    else if (dropped && from >= 0) {
      at += bytes.copy(out, at, from, fields.nameStart(index));
      from = -1;
    }
  }
  return from < 0 ? at : at + bytes.copy(out, at, from, fields.fieldsEnd);
}

function writeAll(out: Buffer, at: number, fields: Fields): number {
  return at + fields.bytes.copy(out, at, 0, fields.fieldsEnd);
}

const statusLines = new Map<number, Buffer>();

/** With the reason phrase that everyone knows; RFC 9110 §15.1 lets a proxy change it. */
function statusLine(status: number): Buffer {
  let line = statusLines.get(status);
  if (line === undefined) {
    line = Buffer.from(`HTTP/1.1 ${status} ${http.STATUS_CODES[status] ?? ''}\r\n`, 'latin1');
    statusLines.set(status, line);
  }
  return line;
}

export type AnswerFraming = 'as-is' | 'chunked' | 'empty';

export function answerHeadRoom({ head, extra }: OutgoingAnswer): number {
  return head.fieldsEnd - (head.count > 0 ? head.nameStart(0) : 0) + (extra?.fieldsEnd ?? 0) + HEAD_SLACK;
}

/** Writes the answer's head into `out` from `at`; the offset after it. */
export function writeAnswerHead(
  out: Buffer,
  at: number,
  { head, drop, extra }: OutgoingAnswer,
  framing: AnswerFraming,
  connection: 'close' | 'keep-alive' | 'default',
): number {
  at = put(out, at, statusLine(head.status));
  at = writeKept(out, at, head, drop);
  if (extra !== undefined) at = writeAll(out, at, extra);
  if (framing === 'chunked') at = put(out, at, CHUNKED_LINE);
  else if (framing === 'empty') at = put(out, at, EMPTY_LENGTH);
  if (connection === 'close') at = put(out, at, CLOSE_LINE);
  else if (connection === 'keep-alive') at = put(out, at, KEEP_ALIVE_LINE);
  out[at++] = 0x0d;
  out[at++] = 0x0a;
  return at;
}

/** The head of a 101, which the two fields that the change is made of end. */
export function writeUpgradeHead(out: Buffer, at: number, answer: OutgoingAnswer): number {
  const protocol = answer.head.valueOf(field.UPGRADE);
  const end = writeAnswerHead(out, at, answer, 'as-is', 'default');
  return end - 2 + out.write(`connection: upgrade\r\nupgrade: ${protocol}\r\n\r\n`, end - 2, 'latin1');
}

/** A 1xx head. */
export function writeInterimHead(out: Buffer, at: number, head: Head): number {
  at = put(out, at, statusLine(head.status));
  at = writeKept(out, at, head, field.maskOf(field.CONNECTION, field.CONTENT_LENGTH, field.TRANSFER_ENCODING));
  out[at++] = 0x0d;
  out[at++] = 0x0a;
  return at;
}

/** A chunk around octets (RFC 9112 §7.1); needs 12 octets more than they are. */
export function writeChunk(out: Buffer, at: number, bytes: Buffer, start: number, end: number): number {
  at += out.write((end - start).toString(16), at, 'latin1');
  out[at++] = 0x0d;
  out[at++] = 0x0a;
  at += bytes.copy(out, at, start, end);
  out[at++] = 0x0d;
  out[at++] = 0x0a;
  return at;
}

const LAST_CHUNK_START = Buffer.from('0\r\n');

/** The last chunk, with trailers if there are any and they may be sent. */
export function lastChunk(trailers: Fields | undefined): Buffer {
  const out = Buffer.allocUnsafe((trailers?.fieldsEnd ?? 0) + 8);
  let at = put(out, 0, LAST_CHUNK_START);
  if (trailers !== undefined) at = writeKept(out, at, trailers, NEVER_TRAILERS);
  out[at++] = 0x0d;
  out[at++] = 0x0a;
  return out.subarray(0, at);
}

/** RFC 9110 §6.5.1: fields that frame, route or authenticate a message are not trailers. */
export const NEVER_TRAILERS = ~(1 << field.OTHER) | 0;
