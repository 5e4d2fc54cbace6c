import { domainToASCII, domainToUnicode } from 'node:url';
import ipaddr from 'ipaddr.js';
import { parse } from 'tldts';
import { Fault } from '../base/index.ts';

// Asked first, since ipaddr.js finds out by trying every notation, at a hundred times the cost.
const MAY_BE_ADDRESS = /^[0-9a-fx.:%]+$/i;

const LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/**
 * A host name as a person or program gives it, in its A-label form: lower case, no trailing dot, internationalized
 * labels encoded (UTS 46). One leading wildcard label is accepted where `wildcard` says so. Throws a `Fault` of code
 * `invalid_name` that names `field`.
 */
export function parseDnsName(text: string, options: { wildcard?: boolean; field?: string } = {}): string {
  const refuse = (why: string) =>
    new Fault({
      code: 'invalid_name',
      detail: `${JSON.stringify(text.slice(0, 300))} ${why}`,
      party: 'client',
      retry: 'never',
      field: options.field,
      status: 422,
    });
  if (text.length > 1000) throw refuse('is too long for a host name (253 characters at most)');
  const trimmed = text.trim().replace(/\.$/, '');
  const wildcard = trimmed.startsWith('*.');
  if (wildcard && options.wildcard !== true) throw refuse('is a wildcard, where an exact host name is due');
  const bare = wildcard ? trimmed.slice(2) : trimmed;
  if ((MAY_BE_ADDRESS.test(bare) && ipaddr.isValid(bare)) || /^\[.*\]$/.test(bare) || /^[\d.]+$/.test(bare))
    throw refuse('is an IP address, where a host name is due');
  // domainToASCII also accepts what URLs do (percent-encoding, "a/b"), so what is not a letter, digit, dot or hyphen
  // in ASCII is refused first.
  if (/[^a-zA-Z0-9.\u0080-\u{10ffff}-]/u.test(bare))
    throw refuse('is not a host name: letters, digits, hyphens and dots only');
  const ascii = domainToASCII(bare);
  if (ascii === '') throw refuse('is not a host name');
  if (ascii.length > 253) throw refuse('is too long for a host name (253 characters at most)');
  const labels = ascii.split('.');
  if (labels.length < 2)
    throw refuse('has one label only; a host name here needs at least two, such as shop.example.com');
  const wrong = labels.find((label) => !LABEL.test(label));
  if (wrong !== undefined) throw refuse(`has a label that is no part of a host name: ${JSON.stringify(wrong)}`);
  const fake = labels.find((label) => label.slice(2, 4) === '--' && !isALabel(label));
  if (fake !== undefined)
    throw refuse(`has a label that only looks encoded, and means nothing: ${JSON.stringify(fake)}`);
  if (/^\d+$/.test(labels.at(-1)!)) throw refuse('ends in a number, so it is no host name');
  const { publicSuffix, isIcann, isPrivate } = parse(ascii, { allowPrivateDomains: true });
  if ((isIcann === true || isPrivate === true) && publicSuffix === ascii)
    throw refuse(`${wildcard ? 'covers' : 'is'} a public suffix, under which anybody registers names`);
  return wildcard ? `*.${ascii}` : ascii;
}

// RFC 5890 §2.3.1: hyphens in the third and fourth place are kept for encodings, of which there is one. `domainToASCII`
// lets any ASCII through; what does not decode stays as it is.
const isALabel = (label: string): boolean => label.startsWith('xn--') && !domainToUnicode(label).startsWith('xn--');

/** A name that a certificate may carry: a host name, a wildcard, or an IP address in canonical form. */
export function parseCertificateName(text: string, field?: string): string {
  const bare = text.trim().replace(/^\[(.*)\]$/, '$1');
  if (/[.:]/.test(bare) && ipaddr.isValid(bare) && (bare.includes(':') || ipaddr.IPv4.isValidFourPartDecimal(bare)))
    return ipaddr.parse(bare).toString();
  return parseDnsName(text, { wildcard: true, field });
}

export const isWildcard = (name: string): boolean => name.startsWith('*.');

/** Whether a certificate's name covers a server name: equal, or a wildcard one label above it (RFC 6125 §6.4.3). */
export function matchesName(certificateName: string, serverName: string): boolean {
  if (certificateName === serverName) return true;
  if (!isWildcard(certificateName)) return false;
  const dot = serverName.indexOf('.');
  return dot > 0 && serverName.slice(dot) === certificateName.slice(1);
}

/** Whether domains are registered directly under it with a registry of the Internet's root (`com`, `co.uk`). */
export function isRegistrySuffix(name: string): boolean {
  const { publicSuffix, isIcann } = parse(name);
  return isIcann === true && publicSuffix === name;
}

/** The domain under a public suffix that was registered, by which public CAs count (`a.b.example.co.uk` -> `example.co.uk`). */
export function registeredDomain(name: string): string {
  const bare = name.replace(/^\*\./, '');
  return parse(bare, { allowPrivateDomains: true }).domain ?? bare;
}
