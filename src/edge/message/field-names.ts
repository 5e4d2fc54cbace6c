import { FOLDED } from './characters.ts';

/**
 * The fields that a proxy does something about, each with a number below 32 so that sets of them are bit masks. A field
 * without a number is OTHER and goes through as it is.
 */
export const OTHER = 0;
export const HOST = 1;
export const CONNECTION = 2;
export const CONTENT_LENGTH = 3;
export const TRANSFER_ENCODING = 4;
export const UPGRADE = 5;
export const EXPECT = 6;
export const TE = 7;
export const TRAILER = 8;
export const KEEP_ALIVE = 9;
export const PROXY_CONNECTION = 10;
export const PROXY_AUTH = 11;
export const X_FORWARDED_FOR = 12;
export const X_FORWARDED_PROTO = 13;
export const X_FORWARDED_HOST = 14;
export const X_FORWARDED_OTHER = 15;
export const X_REAL_IP = 16;
export const FORWARDED = 17;
export const X_REQUEST_ID = 18;
export const X_CLIENT_CERT = 19;
export const HTTP2_SETTINGS = 20;
export const STRICT_TRANSPORT_SECURITY = 21;
export const COOKIE = 22;
export const USER_AGENT = 23;
export const REFERER = 24;
export const SENSITIVE = 25;
export const PSEUDO_STATUS = 26;
export const PSEUDO_METHOD = 27;
export const PSEUDO_PATH = 28;
export const PSEUDO_SCHEME = 29;
export const PSEUDO_AUTHORITY = 30;
/** Taken out of a message after it was parsed. */
export const DROPPED = 31;

const NAMES: readonly (readonly [string, number])[] = [
  ['host', HOST],
  ['connection', CONNECTION],
  ['content-length', CONTENT_LENGTH],
  ['transfer-encoding', TRANSFER_ENCODING],
  ['upgrade', UPGRADE],
  ['expect', EXPECT],
  ['te', TE],
  ['trailer', TRAILER],
  ['keep-alive', KEEP_ALIVE],
  ['proxy-connection', PROXY_CONNECTION],
  ['proxy-authorization', PROXY_AUTH],
  ['proxy-authenticate', PROXY_AUTH],
  ['x-forwarded-for', X_FORWARDED_FOR],
  ['x-forwarded-proto', X_FORWARDED_PROTO],
  ['x-forwarded-host', X_FORWARDED_HOST],
  ['x-forwarded-port', X_FORWARDED_OTHER],
  ['x-forwarded-server', X_FORWARDED_OTHER],
  ['x-forwarded-ssl', X_FORWARDED_OTHER],
  ['x-forwarded-scheme', X_FORWARDED_OTHER],
  ['x-forwarded-prefix', X_FORWARDED_OTHER],
  ['x-real-ip', X_REAL_IP],
  ['forwarded', FORWARDED],
  ['x-request-id', X_REQUEST_ID],
  ['x-client-cert-subject', X_CLIENT_CERT],
  ['x-client-cert-names', X_CLIENT_CERT],
  ['x-client-cert-serial', X_CLIENT_CERT],
  ['x-client-cert-fingerprint', X_CLIENT_CERT],
  ['x-client-cert-verified', X_CLIENT_CERT],
  ['http2-settings', HTTP2_SETTINGS],
  ['strict-transport-security', STRICT_TRANSPORT_SECURITY],
  ['cookie', COOKIE],
  ['user-agent', USER_AGENT],
  ['referer', REFERER],
  ['authorization', SENSITIVE],
  ['set-cookie', SENSITIVE],
];

const slotOf = (length: number, first: number, last: number) => (length * 37 + first * 11 + last * 5) & 0xff;
const octetsOf = (name: string) => Uint8Array.from(name, (character) => character.charCodeAt(0));

const SLOTS: { readonly octets: Uint8Array; readonly id: number }[][] = Array.from({ length: 256 }, () => []);
for (const [name, id] of NAMES) {
  const octets = octetsOf(name);
  SLOTS[slotOf(octets.length, octets[0]!, octets.at(-1)!)]!.push({ octets, id });
}

/** The number of the field name in `bytes[start, end)`, in any case, with `_` read as `-`. */
export function fieldId(bytes: Uint8Array, start: number, end: number): number {
  const length = end - start;
  const slot = SLOTS[slotOf(length, FOLDED[bytes[start]!]!, FOLDED[bytes[end - 1]!]!)]!;
  for (let i = 0; i < slot.length; i++) {
    const { octets, id } = slot[i]!;
    if (octets.length === length && sameFolded(bytes, start, octets)) return id;
  }
  return OTHER;
}

/** Whether `bytes` at `start` is `folded` in any case. The caller has compared the lengths. */
export function sameFolded(bytes: Uint8Array, start: number, folded: Uint8Array): boolean {
  for (let i = 0; i < folded.length; i++) if (FOLDED[bytes[start + i]!] !== folded[i]) return false;
  return true;
}

export const maskOf = (...ids: number[]): number => ids.reduce((mask, id) => mask | (1 << id), 0);

/** What does not go on with a 1xx answer. */
export const INTERIM_DROP = maskOf(
  CONNECTION,
  TRANSFER_ENCODING,
  KEEP_ALIVE,
  PROXY_CONNECTION,
  UPGRADE,
  CONTENT_LENGTH,
);
