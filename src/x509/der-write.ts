/** Distinguished encoding (X.690) of the few types that certificates, revocation lists and OCSP answers are made of. */

export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  enumerated: 0x0a,
  utf8String: 0x0c,
  sequence: 0x30,
  set: 0x31,
  printableString: 0x13,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
} as const;

/** One element: tag, length, content. */
export function element(tag: number, ...parts: Uint8Array[]): Buffer {
  let length = 0;
  for (const part of parts) length += part.length;
  const header = length < 0x80 ? 2 : length < 0x100 ? 3 : length < 0x10000 ? 4 : 5;
  const out = Buffer.allocUnsafe(header + length);
  out[0] = tag;
  if (header === 2) out[1] = length;
  else {
    out[1] = 0x80 | (header - 2);
    out.writeUIntBE(length, 2, header - 2);
  }
  let at = header;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

export const sequence = (...parts: Uint8Array[]): Buffer => element(TAG.sequence, ...parts);
export const set = (...parts: Uint8Array[]): Buffer => element(TAG.set, ...parts);
export const octetString = (...parts: Uint8Array[]): Buffer => element(TAG.octetString, ...parts);
export const nothing: Buffer = element(TAG.null);
export const boolean = (value: boolean): Buffer => element(TAG.boolean, Buffer.of(value ? 0xff : 0));

/** `[n]` around other elements. */
export const explicit = (n: number, ...parts: Uint8Array[]): Buffer => element(0xa0 | n, ...parts);
/** `[n] IMPLICIT` over a primitive's content. */
export const implicit = (n: number, content: Uint8Array): Buffer => element(0x80 | n, content);

export const bitString = (content: Uint8Array, unusedBits = 0): Buffer =>
  element(TAG.bitString, Buffer.of(unusedBits), content);

/** A non-negative integer from its big-endian bytes, or a small number. */
export function integer(value: Uint8Array | number): Buffer {
  return element(TAG.integer, integerContent(value));
}

/** The content bytes of an INTEGER: minimal, and never negative. */
export function integerContent(value: Uint8Array | number): Buffer {
  if (typeof value === 'number') return integerContent(Buffer.from(evenHex(value.toString(16)), 'hex'));
  let start = 0;
  while (start < value.length - 1 && value[start] === 0) start++;
  const bytes = Buffer.from(value.buffer, value.byteOffset + start, value.length - start);
  return bytes.length === 0 ? Buffer.of(0) : bytes[0]! >= 0x80 ? Buffer.concat([Buffer.of(0), bytes]) : bytes;
}

const evenHex = (hex: string): string => (hex.length % 2 === 0 ? hex : `0${hex}`);

const oids = new Map<string, Buffer>();

/** An object identifier from its dotted form. Kept, since the same few are written for ever. */
export function oid(dotted: string): Buffer {
  let encoded = oids.get(dotted);
  if (encoded === undefined) {
    encoded = encodeOid(dotted);
    if (oids.size < 1000) oids.set(dotted, encoded);
  }
  return encoded;
}

function encodeOid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const bytes: number[] = [];
  for (const arc of [first * 40 + second, ...rest]) {
    const groups = [arc & 0x7f];
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128))
      groups.unshift((left & 0x7f) | 0x80);
    bytes.push(...groups);
  }
  return element(TAG.oid, Buffer.from(bytes));
}

const isPrintable = (text: string): boolean => /^[A-Za-z0-9 '()+,\-./:=?]*$/.test(text);

/** PrintableString where it can be, else UTF8String (RFC 5280 §4.1.2.4). */
export const directoryString = (text: string): Buffer =>
  element(isPrintable(text) ? TAG.printableString : TAG.utf8String, Buffer.from(text, 'utf8'));

/** UTCTime until 2049, GeneralizedTime after (RFC 5280 §4.1.2.5). Milliseconds since the epoch, seconds kept. */
export function time(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replace(/[-:T]|\.\d+/g, '');
  return digits < '2050' ? element(TAG.utcTime, Buffer.from(digits.slice(2))) : generalizedTime(ms);
}

export function generalizedTime(ms: number): Buffer {
  return element(TAG.generalizedTime, Buffer.from(new Date(ms).toISOString().replace(/[-:T]|\.\d+/g, '')));
}

export const enumerated = (value: number): Buffer => element(TAG.enumerated, Buffer.of(value));
