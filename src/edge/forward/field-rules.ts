import type { HeaderRules } from '../../picture/index.ts';
import { LOWER } from '../message/characters.ts';
import * as field from '../message/field-names.ts';
import { type Fields, fieldsOf } from '../message/head.ts';

/** A route's header rules made ready: names to take out, and lines to put in. */
export interface ReadyRules {
  readonly names: readonly Uint8Array[];
  readonly set: readonly (readonly [string, string])[];
}

// What frames or routes a message is not a rule's to change.
const UNTOUCHABLE = new Set([
  'host',
  'connection',
  'content-length',
  'transfer-encoding',
  'upgrade',
  'te',
  'trailer',
  'keep-alive',
  'proxy-connection',
  'expect',
]);
const NAME = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must not be there.
const VALUE = /^[^\x00-\x08\x0a-\x1f\x7f\u0100-\uffff]*$/;

export function readyRules(rules: HeaderRules | undefined): ReadyRules {
  const usable = (name: string) => NAME.test(name) && !UNTOUCHABLE.has(name);
  const set = Object.entries(rules?.set ?? {})
    .map(([name, value]) => [name.toLowerCase(), value.trim()] as const)
    .filter(([name, value]) => usable(name) && VALUE.test(value));
  const removed = (rules?.remove ?? []).map((name) => name.toLowerCase()).filter(usable);
  const names = [...new Set([...removed, ...set.map(([name]) => name)])];
  return { names: names.map((name) => Buffer.from(name, 'latin1')), set };
}

export const NO_RULES: ReadyRules = { names: [], set: [] };

/** Marks the fields with one of these (lower-case) names as dropped. */
export function dropNamed(fields: Fields, names: readonly Uint8Array[]): void {
  if (names.length === 0) return;
  for (let index = 0; index < fields.count; index++) {
    const start = fields.nameStart(index);
    const length = fields.nameEnd(index) - start;
    for (const name of names) {
      if (name.length === length && sameLower(fields.bytes, start, name)) fields.setId(index, field.DROPPED);
    }
  }
}

function sameLower(bytes: Uint8Array, start: number, name: Uint8Array): boolean {
  for (let i = 0; i < name.length; i++) if (LOWER[bytes[start + i]!] !== name[i]) return false;
  return true;
}

// Fields that mean something to every hop on the way to the origin; naming them in Connection is an attack.
const END_TO_END = field.maskOf(
  field.HOST,
  field.CONTENT_LENGTH,
  field.TRANSFER_ENCODING,
  field.COOKIE,
  field.SENSITIVE,
  field.EXPECT,
);

/** Drops what Connection names (RFC 9110 §7.6.1). False when it names what must not be dropped. */
export function dropConnectionNamed(fields: Fields): boolean {
  const names: Buffer[] = [];
  for (let index = 0; index < fields.count; index++) {
    if (fields.id(index) !== field.CONNECTION) continue;
    for (const token of fields.value(index).split(',')) {
      const name = token.trim().toLowerCase();
      if (name === '') continue;
      const bytes = Buffer.from(name, 'latin1');
      if ((END_TO_END & (1 << field.fieldId(bytes, 0, bytes.length)) & ~1) !== 0) return false;
      if (name !== 'close' && name !== 'keep-alive' && name !== 'upgrade' && name !== 'te') names.push(bytes);
    }
  }
  dropNamed(fields, names);
  return true;
}

/** Fields of ours as a block; undefined when there are none. */
export function blockOf(entries: readonly (readonly [string, string])[]): Fields | undefined {
  return entries.length === 0 ? undefined : fieldsOf(entries);
}
