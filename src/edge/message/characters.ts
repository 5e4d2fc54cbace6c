/** Which octets may stand where; 1 is yes. Indexed by octet, so that a parser spends one load on each. */
function table(accept: (octet: number) => boolean): Uint8Array {
  const octets = new Uint8Array(256);
  for (let octet = 0; octet < 256; octet++) octets[octet] = accept(octet) ? 1 : 0;
  return octets;
}
const among = (text: string) => (octet: number) => text.includes(String.fromCharCode(octet));
const alphanumeric = (octet: number) =>
  (octet >= 0x30 && octet <= 0x39) || (octet >= 0x41 && octet <= 0x5a) || (octet >= 0x61 && octet <= 0x7a);

/** RFC 9110 §5.6.2: tchar. */
export const TOKEN = table((octet) => alphanumeric(octet) || among("!#$%&'*+-.^_`|~")(octet));
/** RFC 9113 §8.2.1: a field name in HTTP/2 has no upper case. */
export const LOWER_TOKEN = table((octet) => TOKEN[octet] === 1 && !(octet >= 0x41 && octet <= 0x5a));
/** RFC 9110 §5.5: field-vchar (with obs-text), SP and HTAB. */
export const FIELD_VALUE = table((octet) => octet === 0x09 || (octet >= 0x20 && octet !== 0x7f));
/** Octets of a request target; `#` starts a fragment, which is never sent (RFC 9112 §3.2). */
export const TARGET = table((octet) => octet > 0x20 && octet < 0x7f && octet !== 0x23);
/** Octets of a host as names and addresses use them, with a port; `%` and `@` never. */
export const AUTHORITY = table((octet) => alphanumeric(octet) || among('-._~:[]')(octet));
/** Value of a hex digit, 255 for anything else. */
export const HEX = Uint8Array.from({ length: 256 }, (_, octet) => {
  const value = Number.parseInt(String.fromCharCode(octet), 16);
  return Number.isNaN(value) ? 255 : value;
});
/** ASCII lower case, and `_` as `-`: servers behind CGI-like interfaces cannot tell the two apart. */
export const FOLDED = Uint8Array.from({ length: 256 }, (_, octet) =>
  octet >= 0x41 && octet <= 0x5a ? octet | 0x20 : octet === 0x5f ? 0x2d : octet,
);
/** ASCII lower case. */
export const LOWER = Uint8Array.from({ length: 256 }, (_, octet) =>
  octet >= 0x41 && octet <= 0x5a ? octet | 0x20 : octet,
);

export const CR = 0x0d;
export const LF = 0x0a;
export const SP = 0x20;
export const HTAB = 0x09;
export const COLON = 0x3a;
