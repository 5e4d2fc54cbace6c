import { domainToASCII } from 'node:url';
import { Refusal } from './refusal.ts';

const MOST = 10;
const DOMAIN = /^[a-z\d\u0080-\u{10ffff}-]+(\.[a-z\d\u0080-\u{10ffff}-]+)*$/iu;

/** RFC 8555 §7.3: mailto only, one address each, no header fields. Throws `invalidContact` or `unsupportedContact`. */
export function parseContacts(input: unknown): string[] {
  if (!Array.isArray(input) || input.length > MOST)
    throw new Refusal('malformed', `contact is a list of at most ${MOST} URIs`);
  return input.map(parseContact);
}

function parseContact(input: unknown): string {
  if (typeof input !== 'string' || input.length > 300) throw new Refusal('invalidContact', 'a contact is a short URI');
  if (!/^mailto:/i.test(input))
    throw new Refusal(
      'unsupportedContact',
      `only mailto contacts are supported, not ${JSON.stringify(input.slice(0, 60))}`,
    );
  const address = input.slice('mailto:'.length);
  const [local, domain, ...more] = address.split('@');
  const wrong = (why: string) => new Refusal('invalidContact', `${JSON.stringify(input)} ${why}`);
  if (/[?,]/.test(address)) throw wrong('has header fields or several addresses');
  if (more.length > 0 || !/^[^\s"(),:;<>[\\\]\p{C}]{1,64}$/u.test(local ?? '')) throw wrong('is no address');
  // What domainToASCII would take as well, as URLs do: a path, percent-encoding, an address of IPv6.
  if (domain === undefined || !DOMAIN.test(domain) || domainToASCII(domain) === '') throw wrong('has no domain');
  return input;
}
