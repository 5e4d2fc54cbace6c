import { randomBytes } from 'node:crypto';

/** Seals session tickets (RFC 5077 §4, RFC 8446 §4.6.1). The same in every worker, so any of them resumes. */
export interface TicketKey {
  /** 16 bytes, in clear in each ticket. */
  readonly name: Uint8Array;
  readonly hmac: Uint8Array;
  readonly aes: Uint8Array;
}

/** First the one that seals; all open. */
export type TicketKeys = readonly TicketKey[];

export const TICKET_ROTATION_MS = 6 * 3_600_000;
/** A ticket opens for one to two rotations more. */
export const TICKET_LIFETIME_SECONDS = (TICKET_ROTATION_MS * 2) / 1000;
const KEPT = 3;

export const newTicketKey = (): TicketKey => ({
  name: randomBytes(16),
  hmac: randomBytes(16),
  aes: randomBytes(16),
});

/** A thief of one key reads what was recorded in a few hours of TLS 1.2, and no more: RFC 5077 §5.5. */
export const rotateTicketKeys = (keys: TicketKeys): TicketKeys => [newTicketKey(), ...keys].slice(0, KEPT);
