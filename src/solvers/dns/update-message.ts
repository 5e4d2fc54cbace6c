import { createHmac, randomInt, timingSafeEqual } from 'node:crypto';
import packet from 'dns-packet';
import { rcodeOf } from '../../dns/index.ts';

/** A key that both sides know (RFC 8945). */
export interface TsigKey {
  readonly name: string;
  /** `hmac-sha256`, … */
  readonly algorithm: string;
  readonly secret: Buffer;
}

/** One change of one TXT value (RFC 2136 §2.5.1 and §2.5.4); other values of the set stay. */
export interface TxtChange {
  readonly action: 'add' | 'delete';
  readonly name: string;
  readonly value: string;
  readonly ttl: number;
}

const OPCODE_UPDATE = 5 << 11;
const TYPE = { SOA: 6, TXT: 16, TSIG: 250 } as const;
const CLASS = { IN: 1, NONE: 254, ANY: 255 } as const;
const FUDGE_SECONDS = 300;
const HEADER_BYTES = 12;

/** A signed UPDATE of `zone`. `now` in ms; `mac` is needed to check the answer. */
export function encodeUpdate(
  zone: string,
  change: TxtChange,
  key: TsigKey,
  now: number,
): { message: Buffer; mac: Buffer; id: number } {
  const id = randomInt(0x10000);
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt16BE(id, 0);
  header.writeUInt16BE(OPCODE_UPDATE, 2);
  header.writeUInt16BE(1, 4); // one zone
  header.writeUInt16BE(1, 8); // one update
  const question = Buffer.concat([wireName(zone), words(TYPE.SOA, CLASS.IN)]);
  const deletes = change.action === 'delete';
  const update = record(
    change.name,
    TYPE.TXT,
    deletes ? CLASS.NONE : CLASS.IN,
    deletes ? 0 : change.ttl,
    characterStrings(change.value),
  );
  const unsigned = Buffer.concat([header, question, update]);
  const time = Math.floor(now / 1000);
  const mac = macOf(key, [unsigned, variables(key, time, 0, Buffer.alloc(0))]);
  const rdata = Buffer.concat([
    wireName(key.algorithm),
    timeAndFudge(time),
    words(mac.length),
    mac,
    words(id, 0, 0), // original id, no error, no other data
  ]);
  const message = Buffer.concat([unsigned, record(key.name, TYPE.TSIG, CLASS.ANY, 0, rdata)]);
  message.writeUInt16BE(1, 10); // one additional: the signature
  return { message, mac, id };
}

export type UpdateAnswer =
  | { readonly kind: 'answered'; readonly rcode: string }
  | { readonly kind: 'unsigned'; readonly rcode: string; readonly tsigError: number }
  | { readonly kind: 'unreadable' };

/** Reads the answer to an update, and checks that it comes from a holder of the key (RFC 8945 §5.3). */
export function decodeUpdateAnswer(bytes: Buffer, sent: { id: number; mac: Buffer }, key: TsigKey): UpdateAnswer {
  let decoded: packet.DecodedPacket;
  try {
    decoded = packet.decode(bytes);
  } catch {
    return { kind: 'unreadable' };
  }
  if (decoded.id !== sent.id || decoded.type !== 'response') return { kind: 'unreadable' };
  const rcode = rcodeOf(bytes);
  const tsig = decoded.additionals?.find((one): one is packet.BufferAnswer => one.type === 'TSIG');
  if (tsig === undefined) return { kind: 'unsigned', rcode, tsigError: 0 };
  const rdata = tsig.data;
  let at = nameLength(rdata);
  if (rdata.length < at + 16) return { kind: 'unreadable' };
  const time = rdata.readUIntBE(at, 6);
  at += 8;
  const mac = rdata.subarray(at + 2, at + 2 + rdata.readUInt16BE(at));
  at += 2 + mac.length;
  if (rdata.length < at + 6) return { kind: 'unreadable' };
  const error = rdata.readUInt16BE(at + 2);
  if (mac.length === 0 || error !== 0) return { kind: 'unsigned', rcode, tsigError: error };
  // The TSIG record is the last: its length is its name, type, class, TTL, length and data, as servers write it.
  const start = bytes.length - (wireName(key.name).length + 10 + rdata.length);
  if (start < HEADER_BYTES) return { kind: 'unreadable' };
  const unsigned = Buffer.from(bytes.subarray(0, start));
  unsigned.writeUInt16BE(unsigned.readUInt16BE(10) - 1, 10);
  const expected = macOf(key, [
    words(sent.mac.length),
    sent.mac,
    unsigned,
    variables(key, time, 0, rdata.subarray(at + 6)),
  ]);
  const genuine = mac.length === expected.length && timingSafeEqual(mac, expected);
  return genuine ? { kind: 'answered', rcode } : { kind: 'unsigned', rcode, tsigError: 16 };
}

// RFC 8945 §4.3.3.
const variables = (key: TsigKey, time: number, error: number, other: Buffer) =>
  Buffer.concat([
    wireName(key.name),
    words(CLASS.ANY, 0, 0),
    wireName(key.algorithm),
    timeAndFudge(time),
    words(error, other.length),
    other,
  ]);

function macOf(key: TsigKey, parts: readonly Buffer[]): Buffer {
  const mac = createHmac(key.algorithm.replace('hmac-', ''), key.secret);
  for (const part of parts) mac.update(part);
  return mac.digest();
}

function timeAndFudge(time: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUIntBE(time, 0, 6);
  bytes.writeUInt16BE(FUDGE_SECONDS, 6);
  return bytes;
}

function record(name: string, type: number, rrClass: number, ttl: number, rdata: Buffer): Buffer {
  const fixed = Buffer.alloc(4);
  fixed.writeUInt32BE(ttl);
  return Buffer.concat([wireName(name), words(type, rrClass), fixed, words(rdata.length), rdata]);
}

function characterStrings(value: string): Buffer {
  const bytes = Buffer.from(value, 'utf8');
  const strings: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += 255) {
    const chunk = bytes.subarray(at, at + 255);
    strings.push(Buffer.of(chunk.length), chunk);
  }
  return Buffer.concat(strings);
}

/** Uncompressed, in lower case: the canonical form that is signed (RFC 8945 §4.3.3). */
function wireName(name: string): Buffer {
  const labels = name
    .toLowerCase()
    .split('.')
    .filter((label) => label !== '');
  return Buffer.concat([...labels.flatMap((label) => [Buffer.of(label.length), Buffer.from(label)]), Buffer.of(0)]);
}

/** Bytes that an uncompressed name at the start takes. */
function nameLength(bytes: Buffer): number {
  let at = 0;
  while (at < bytes.length && bytes[at] !== 0) at += bytes[at]! + 1;
  return at + 1;
}

function words(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 2);
  for (const [index, value] of values.entries()) bytes.writeUInt16BE(value, index * 2);
  return bytes;
}
