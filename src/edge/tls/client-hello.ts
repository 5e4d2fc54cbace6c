/** What the listener reads from a ClientHello before OpenSSL does: enough to choose a certificate, a policy, or nothing. */
export interface ClientHello {
  /** Lower case, without a trailing dot; undefined when the extension is absent (RFC 6066 §3). */
  readonly serverName: string | undefined;
  /** Protocol names in the client's order (RFC 7301); empty when the extension is absent. */
  readonly alpn: readonly string[];
  /** Code points of the groups it sent key shares for (RFC 8446 §4.2.8). */
  readonly keyShares: readonly number[];
}

export type HelloResult =
  | { readonly status: 'complete'; readonly hello: ClientHello }
  /** More bytes are needed. */
  | { readonly status: 'partial' }
  /** Not a ClientHello, or one that breaks RFC 8446 §4.1.2; `reason` in a few words. */
  | { readonly status: 'malformed'; readonly reason: string };

const HANDSHAKE_RECORD = 22;
const CLIENT_HELLO = 1;
const SERVER_NAME = 0;
const ALPN = 16;
const KEY_SHARE = 51;
// RFC 8446 §5.1: a plaintext record holds at most 2^14 bytes. A ClientHello with post-quantum shares is below 2 KiB.
const LONGEST_RECORD = 16_384;
export const LONGEST_HELLO = 16_384;
// Clients that split theirs, to get by naive filters, use two or three.
const MOST_RECORDS = 16;

class Malformed extends Error {}

/** Parses the first bytes of a connection. Never throws; looks at no byte twice as far as the records allow. */
export function parseClientHello(bytes: Uint8Array): HelloResult {
  try {
    const message = joinRecords(bytes);
    if (message === undefined) return { status: 'partial' };
    return { status: 'complete', hello: readHello(message) };
  } catch (error) {
    if (error instanceof Malformed) return { status: 'malformed', reason: error.message };
    throw error;
  }
}

/** The handshake message, put together when it spans records (RFC 8446 §5.1); undefined while bytes are missing. */
function joinRecords(bytes: Uint8Array): Uint8Array | undefined {
  if (bytes.length > 0 && bytes[0] !== HANDSHAKE_RECORD) throw new Malformed('not TLS');
  const pieces: Uint8Array[] = [];
  let have = 0;
  for (let at = 0; at + 5 <= bytes.length; ) {
    if (bytes[at] !== HANDSHAKE_RECORD || bytes[at + 1] !== 3) throw new Malformed('not a TLS handshake record');
    const length = (bytes[at + 3]! << 8) | bytes[at + 4]!;
    if (length === 0 || length > LONGEST_RECORD) throw new Malformed('record length');
    const piece = bytes.subarray(at + 5, at + 5 + length);
    pieces.push(piece);
    if (pieces.length > MOST_RECORDS) throw new Malformed('ClientHello in slivers');
    have += piece.length;
    const first = pieces[0]!;
    if (first.length > 0 && first[0] !== CLIENT_HELLO) throw new Malformed('not a ClientHello');
    if (first.length >= 4) {
      const wanted = 4 + ((first[1]! << 16) | (first[2]! << 8) | first[3]!);
      if (wanted > LONGEST_HELLO) throw new Malformed('ClientHello too large');
      if (have >= wanted) return (pieces.length === 1 ? first : Buffer.concat(pieces)).subarray(4, wanted);
    } else if (piece.length === length) throw new Malformed('ClientHello in slivers');
    at += 5 + length;
  }
  return undefined;
}

/** A cursor over one vector of the message; leaving it is malformed, not an exception of ours. */
class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }
  get left(): number {
    return this.#bytes.length - this.#at;
  }
  number(size: 1 | 2): number {
    const [high, low] = this.bytes(size);
    return size === 1 ? high! : (high! << 8) | low!;
  }
  bytes(count: number): Uint8Array {
    if (count > this.left) throw new Malformed('ClientHello ends early');
    this.#at += count;
    return this.#bytes.subarray(this.#at - count, this.#at);
  }
  vector(lengthSize: 1 | 2): Reader {
    return new Reader(this.bytes(this.number(lengthSize)));
  }
}

/** RFC 8446 §4.1.2; extensions other than the two are stepped over. */
function readHello(message: Uint8Array): ClientHello {
  const reader = new Reader(message);
  reader.bytes(2 + 32); // legacy_version, random
  reader.vector(1); // legacy_session_id
  reader.vector(2); // cipher_suites
  reader.vector(1); // legacy_compression_methods
  let serverName: string | undefined;
  let alpn: string[] = [];
  let keyShares: number[] = [];
  if (reader.left > 0) {
    const extensions = reader.vector(2);
    while (extensions.left > 0) {
      const type = extensions.number(2);
      const body = extensions.vector(2);
      if (type === SERVER_NAME) serverName = readServerName(body);
      else if (type === ALPN) alpn = readAlpn(body);
      else if (type === KEY_SHARE) keyShares = readKeyShares(body);
    }
  }
  return { serverName, alpn, keyShares };
}

/** RFC 6066 §3: a list with one entry of type host_name. */
function readServerName(body: Reader): string {
  const list = body.vector(2);
  if (list.number(1) !== 0) throw new Malformed('server name type');
  const bytes = list.vector(2);
  const name = Buffer.from(bytes.bytes(bytes.left)).toString('latin1').toLowerCase();
  if (list.left > 0 || name.length > 255 || !/^[a-z0-9_.:-]+$/.test(name)) throw new Malformed('server name');
  return name.endsWith('.') ? name.slice(0, -1) : name;
}

function readAlpn(body: Reader): string[] {
  const list = body.vector(2);
  const names: string[] = [];
  while (list.left > 0) {
    const name = list.vector(1);
    if (names.length === 64) throw new Malformed('too many protocols');
    names.push(Buffer.from(name.bytes(name.left)).toString('latin1'));
  }
  return names;
}

function readKeyShares(body: Reader): number[] {
  const list = body.vector(2);
  const groups: number[] = [];
  while (list.left > 0) {
    groups.push(list.number(2));
    list.vector(2);
    if (groups.length > 64) throw new Malformed('too many key shares');
  }
  return groups;
}
