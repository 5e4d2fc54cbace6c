import { constants, randomBytes } from 'node:crypto';
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';
import { TICKET_LIFETIME_SECONDS, type TicketKey, type TicketKeys } from './ticket-keys.ts';

// What Node's C++ half of a context has beyond its documented face; each is checked before use.
interface NativeContext {
  close?(): void;
  enableTicketKeyCallback?(): void;
  onticketkeycallback?: (name: Buffer, iv: Buffer, sealing: boolean) => unknown[];
}

const native = (context: SecureContext): NativeContext => (context as { context: NativeContext }).context;

/** For one handshake each: no tickets, since nobody comes back to one (RFC 8737 §3). */
export const createChallengeContext = (chain: string, key: string): SecureContext =>
  createSecureContext({ cert: chain, key, minVersion: 'TLSv1.2', secureOptions: constants.SSL_OP_NO_TICKET });

/** Asks for the ticket keys at each ticket, so that a rotation needs no new contexts. */
export function createServerContext(options: SecureContextOptions, tickets: () => TicketKeys): SecureContext {
  const context = createSecureContext({ ...options, sessionTimeout: TICKET_LIFETIME_SECONDS });
  const inner = native(context);
  if (inner.enableTicketKeyCallback === undefined) return context;
  inner.onticketkeycallback = (name, _iv, sealing) =>
    sealing ? sealingAnswer(tickets()[0]!) : openingAnswer(tickets(), name);
  inner.enableTicketKeyCallback();
  return context;
}

// A call for each would cost more than the sixteen octets.
const IV = 16;
let ivs = Buffer.alloc(0);
function nextIv(): Buffer {
  if (ivs.length < IV) ivs = randomBytes(IV * 256);
  const iv = ivs.subarray(0, IV);
  ivs = ivs.subarray(IV);
  return iv;
}

const sealingAnswer = ({ name, hmac, aes }: TicketKey) => [1, hmac, aes, name, nextIv()];

// 2 is "open it, and send a new ticket": with 1, a TLS 1.3 client that uses each ticket once (RFC 8446 §C.4) would have
// none for its next connection. 0 is "not ours": a full handshake.
function openingAnswer(keys: TicketKeys, name: Buffer): unknown[] {
  const key = keys.find((candidate) => name.equals(candidate.name));
  return key === undefined ? [0] : [2, key.hmac, key.aes];
}

/**
 * Frees OpenSSL's memory now. The garbage collector sees a few hundred bytes of the 25–40 kB and waits too long;
 * connections that use the context hold their own reference.
 */
export const closeContext = (context: SecureContext): void => native(context).close?.();
