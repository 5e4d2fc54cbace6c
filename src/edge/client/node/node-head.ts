import type { IncomingMessage } from 'node:http';
import { readFraming } from '../../http1/parse-fields.ts';
import { readAuthority } from '../../http1/parse-head.ts';
import { HeadBuilder } from '../../http2/build-head.ts';
import { FIELD_VALUE, TARGET, TOKEN } from '../../message/characters.ts';
import * as field from '../../message/field-names.ts';
import { type Fields, Head } from '../../message/head.ts';
import * as bad from '../../message/malformed.ts';
import type { PlaneLimits } from '../../plane/types.ts';

const NEWLINE = '\r\n';

/** Node's list of names and values in turn, as the lines that every head is made of here. */
export function headOfLines(start: string, raw: readonly string[]): Head {
  const lines = raw.map((text, index) => (index % 2 === 0 ? `${text}: ` : `${text}${NEWLINE}`));
  const head = new Head(raw.length / 2);
  head.reset(Buffer.from(start + lines.join(''), 'latin1'));
  let at = start.length;
  for (let index = 0; index < raw.length; index += 2) {
    const nameEnd = at + raw[index]!.length;
    const valueEnd = nameEnd + 2 + raw[index + 1]!.length;
    head.add(at, nameEnd, nameEnd + 2, valueEnd, field.fieldId(head.bytes, at, nameEnd));
    at = valueEnd + NEWLINE.length;
  }
  head.fieldsEnd = at;
  head.end = at;
  return head;
}

export const trailersOf = (raw: readonly string[]): Fields | undefined =>
  raw.length === 0 ? undefined : headOfLines('', raw);

/** What llhttp read, or a negative code (message/malformed.ts) where it says less than we want to know. */
export function headOfRequest(request: IncomingMessage, { headerCount }: PlaneLimits): Head | number {
  const { method = '', url = '', rawHeaders: raw, httpVersionMajor, httpVersionMinor } = request;
  if (raw.length / 2 > headerCount) return bad.TOO_MANY_FIELDS;
  if (httpVersionMajor !== 1 || httpVersionMinor > 1) return bad.BAD_VERSION;
  const head = headOfLines(method + url, raw);
  head.version = httpVersionMinor as 0 | 1;
  head.methodEnd = head.targetStart = method.length;
  head.targetEnd = method.length + url.length;
  if (!consistsOf(head.bytes, head.targetStart, head.targetEnd, TARGET)) return bad.BAD_TARGET;
  const problem = readAuthority(head) || readFraming(head);
  return problem < 0 ? problem : head;
}

const PSEUDO: Readonly<Record<string, number>> = {
  ':method': field.PSEUDO_METHOD,
  ':path': field.PSEUDO_PATH,
  ':scheme': field.PSEUDO_SCHEME,
  ':authority': field.PSEUDO_AUTHORITY,
};

/** What nghttp2 read, or what is to be answered instead. */
export function headOfStream(raw: readonly string[], limits: PlaneLimits): Head | 'malformed' | 'too-large' {
  const builder = new HeadBuilder();
  const head = new Head(raw.length / 2);
  head.reset(Buffer.allocUnsafeSlow(1_024));
  head.version = 2;
  builder.begin(head, limits.headBytes, limits.headerCount);
  for (let index = 0; index < raw.length; index += 2) {
    const [name, value] = [raw[index]!, raw[index + 1]!];
    const line = Buffer.from(`${name}: ${value}${NEWLINE}`, 'latin1');
    const pseudo = PSEUDO[name];
    const isName = pseudo !== undefined || (consistsOf(line, 0, name.length, TOKEN) && name === name.toLowerCase());
    const isValue = consistsOf(line, name.length + 2, line.length - 2, FIELD_VALUE) && value === value.trim();
    const id = pseudo ?? field.fieldId(line, 0, name.length);
    builder.add(line, 0, name.length, value.length, id, !isName || !isValue);
  }
  if (builder.tooLarge) return 'too-large';
  return builder.finishRequest() ? head : 'malformed';
}

function consistsOf(bytes: Uint8Array, start: number, end: number, octets: Uint8Array): boolean {
  for (let at = start; at < end; at++) if (octets[bytes[at]!] !== 1) return false;
  return true;
}
