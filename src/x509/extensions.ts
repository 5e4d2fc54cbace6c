import ipaddr from 'ipaddr.js';
import {
  booleanValue,
  children,
  type Element,
  expectTag,
  notDer,
  oidText,
  readElement,
  sequenceOf,
} from './der-read.ts';
import { boolean, element, implicit, octetString, oid, sequence, TAG } from './der-write.ts';
import { OID } from './oids.ts';

export interface Extension {
  readonly oid: string;
  readonly critical: boolean;
  /** DER of the extension's own value. */
  readonly value: Buffer;
}

/** `Extensions` (RFC 5280 §4.1): a sequence in which no identifier comes twice. */
export function readExtensions(list: Element): Extension[] {
  const found = sequenceOf(list, 'the list of extensions').map((item) => {
    const parts = sequenceOf(item, 'an extension');
    const withFlag = parts.length === 3;
    if (parts.length !== 2 && !withFlag) throw notDer('an extension has not two or three parts');
    return {
      oid: oidText(parts[0], 'an extension identifier'),
      critical: withFlag && booleanValue(parts[1]!, 'criticality'),
      value: expectTag(parts.at(-1), TAG.octetString, 'an extension value').content,
    };
  });
  if (new Set(found.map((extension) => extension.oid)).size !== found.length) throw notDer('an extension comes twice');
  return found;
}

export function writeExtension(dotted: string, value: Uint8Array, critical = false): Buffer {
  return critical
    ? sequence(oid(dotted), boolean(true), octetString(value))
    : sequence(oid(dotted), octetString(value));
}

/** What a subjectAltName holds, kinds other than names and addresses counted only by their tag. */
export interface AlternativeNames {
  readonly dns: readonly string[];
  /** Canonical text. */
  readonly ip: readonly string[];
  /** Context tags of what else is there: 1 is e-mail, 6 is URI (RFC 5280 §4.2.1.6). */
  readonly others: readonly number[];
}

export function readAlternativeNames(value: Uint8Array): AlternativeNames {
  const dns: string[] = [];
  const ip: string[] = [];
  const others: number[] = [];
  for (const name of sequenceOf(readElement(value), 'subjectAltName')) {
    if (name.tag === 0x82) {
      const text = name.content.toString('latin1');
      if (!/^[\x21-\x7e]{1,253}$/.test(text)) throw notDer('a DNS name in subjectAltName is no host name');
      dns.push(text.toLowerCase());
    } else if (name.tag === 0x87) {
      if (name.content.length !== 4 && name.content.length !== 16) throw notDer('an address of neither 4 nor 16 bytes');
      ip.push(ipaddr.fromByteArray([...name.content]).toString());
    } else others.push(name.tag & 0x1f);
  }
  return { dns, ip, others };
}

export function writeAlternativeNames(names: { dns: readonly string[]; ip: readonly string[] }): Buffer {
  return sequence(
    ...names.dns.map((name) => implicit(2, Buffer.from(name, 'latin1'))),
    ...names.ip.map((address) => implicit(7, Buffer.from(ipaddr.parse(address).toByteArray()))),
  );
}

/** `[0] keyIdentifier` of an authority key identifier, if it has one. */
export function readAuthorityKeyIdentifier(value: Uint8Array): Buffer | undefined {
  return children(readElement(value)).find((part) => part.tag === 0x80)?.content;
}

/** RelativeDistinguishedNames of one attribute each, in order. */
export function writeName(attributes: readonly (readonly [type: string, value: Uint8Array])[]): Buffer {
  return sequence(...attributes.map(([type, value]) => element(TAG.set, sequence(oid(type), value))));
}

/** Attribute values of a name as (identifier, text). Text of unknown string kinds is read as Latin-1. */
export function readName(name: Element): (readonly [type: string, text: string])[] {
  return sequenceOf(name, 'a distinguished name').flatMap((relative) =>
    children(expectTag(relative, TAG.set, 'a relative name')).map((attribute) => {
      const [type, value] = sequenceOf(attribute, 'an attribute');
      if (value === undefined) throw notDer('an attribute has no value');
      return [
        oidText(type, 'an attribute type'),
        value.content.toString(value.tag === TAG.utf8String ? 'utf8' : 'latin1'),
      ] as const;
    }),
  );
}

/** A URI as a GeneralName inside `[n]`, as AIA and distribution points carry it. */
export const uriName = (uri: string): Buffer => implicit(6, Buffer.from(uri, 'latin1'));

/** RFC 8737 §3: SHA-256 of the key authorization, critical. */
export const writeAcmeIdentifier = (digest: Uint8Array): Buffer =>
  writeExtension(OID.acmeIdentifier, octetString(digest), true);
