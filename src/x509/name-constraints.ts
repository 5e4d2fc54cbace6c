import ipaddr from 'ipaddr.js';
import type { NameConstraints } from './certificate-write.ts';
import { children, type Element, notDer, readElement, sequenceOf } from './der-read.ts';

/** Names and blocks of addresses as people write them: `corp.example` (itself and all below), `10.0.0.0/8`. */
export interface ConstraintTexts {
  readonly permitted: readonly string[];
  readonly excluded: readonly string[];
}

/**
 * The constraints that say what the lists say (RFC 5280 §4.2.1.10). A kind of name that is constrained leaves the other
 * kind free, so where only one is permitted the whole of the other is excluded. Undefined when nothing is said.
 */
export function planNameConstraints({ permitted, excluded }: ConstraintTexts): NameConstraints | undefined {
  if (permitted.length === 0 && excluded.length === 0) return undefined;
  const [may, mayNot] = [sorted(permitted), sorted(excluded)];
  const onlyNames = may.dns.length > 0 && may.ip.length === 0;
  const onlyAddresses = may.ip.length > 0 && may.dns.length === 0;
  return {
    permitted: may,
    excluded: {
      dns: onlyAddresses ? [''] : mayNot.dns,
      ip: onlyNames ? [blockBytes('0.0.0.0/0'), blockBytes('::/0')] : mayNot.ip,
    },
  };
}

function sorted(texts: readonly string[]): NameConstraints['permitted'] {
  return {
    dns: texts.filter((text) => !text.includes('/')).map((text) => text.toLowerCase().replace(/^\*?\./, '')),
    ip: texts.filter((text) => text.includes('/')).map(blockBytes),
  };
}

function blockBytes(text: string): Buffer {
  const [address, bits] = ipaddr.parseCIDR(text);
  const length = address.toByteArray().length;
  const mask = Array.from({ length }, (_, index) => (0xff00 >> Math.min(8, Math.max(0, bits - index * 8))) & 0xff);
  return Buffer.from([...address.toByteArray().map((byte, index) => byte & mask[index]!), ...mask]);
}

/** Reads the extension's value. Kinds of name other than ours are passed over: certificates here carry none. */
export function readNameConstraints(value: Uint8Array): NameConstraints {
  const parts = sequenceOf(readElement(value), 'the name constraints');
  const subtrees = (tag: number) => {
    const list = parts.find((part) => part.tag === tag);
    const bases = list === undefined ? [] : children(list).map((tree) => sequenceOf(tree, 'a subtree')[0]);
    return {
      dns: bases.filter(isTag(0x82)).map(({ content }) => content.toString('latin1').toLowerCase()),
      ip: bases.filter(isTag(0x87)).map(({ content }) => {
        if (content.length !== 8 && content.length !== 32) throw notDer('an address block of neither 8 nor 32 bytes');
        return content;
      }),
    };
  };
  return { permitted: subtrees(0xa0), excluded: subtrees(0xa1) };
}

const isTag =
  (tag: number) =>
  (base: Element | undefined): base is Element =>
    base?.tag === tag;

/** Whether a certificate may carry the name (a host name, a wildcard, or an address) under the constraints. */
export function isWithin(name: string, { permitted, excluded }: NameConstraints): boolean {
  if (name.includes(':') || /^[\d.]+$/.test(name)) {
    const bytes = Buffer.from(ipaddr.parse(name).toByteArray());
    const matches = (block: Uint8Array) => inBlock(bytes, block);
    return (permitted.ip.length === 0 || permitted.ip.some(matches)) && !excluded.ip.some(matches);
  }
  const matches = (suffix: string) => isBelow(name.replace(/^\*\./, ''), suffix.replace(/^\./, ''));
  // A wildcard above an excluded name would cover it.
  const covers = (suffix: string) => name.startsWith('*.') && isBelow(suffix.replace(/^\./, ''), name.slice(2));
  return (
    (permitted.dns.length === 0 || permitted.dns.some(matches)) &&
    !excluded.dns.some((suffix) => matches(suffix) || covers(suffix))
  );
}

const isBelow = (name: string, suffix: string): boolean =>
  suffix === '' || name === suffix || name.endsWith(`.${suffix}`);

function inBlock(address: Uint8Array, block: Uint8Array): boolean {
  if (block.length !== address.length * 2) return false;
  return address.every(
    (byte, index) => (byte & block[address.length + index]!) === (block[index]! & block[address.length + index]!),
  );
}
