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
const KEY_PART_BYTES = 16;

export const newTicketKey = (): TicketKey => ({
  name: randomBytes(KEY_PART_BYTES),
  hmac: randomBytes(KEY_PART_BYTES),
  aes: randomBytes(KEY_PART_BYTES),
});

/** A thief of one key reads what was recorded in a few hours of TLS 1.2, and no more: RFC 5077 §5.5. */
export const rotateTicketKeys = (keys: TicketKeys): TicketKeys => [newTicketKey(), ...keys].slice(0, KEPT);

/** Keys as one process gives them to the one that takes over from it, with when they were last rotated. */
export interface HeldTickets {
  readonly keys: TicketKeys;
  readonly rotatedAt: number;
}

const PARTS = ['name', 'hmac', 'aes'] as const;

/** For a pipe between two processes, never for a disk: who finds a key there reads what was recorded. */
export const ticketsToText = ({ keys, rotatedAt }: HeldTickets): string =>
  JSON.stringify({
    rotatedAt,
    keys: keys.map((key) => PARTS.map((part) => Buffer.from(key[part]).toString('base64'))),
  });

/** Undefined for what is none: the other process may be of another version. */
export function ticketsFromText(text: string): HeldTickets | undefined {
  try {
    const { rotatedAt, keys } = JSON.parse(text) as { rotatedAt: number; keys: string[][] };
    const parsed = keys.map((parts) => {
      const [name, hmac, aes] = parts.map((part) => Buffer.from(part, 'base64'));
      return { name: name!, hmac: hmac!, aes: aes! };
    });
    const whole = parsed.every((key) => PARTS.every((part) => key[part].length === KEY_PART_BYTES));
    return whole && parsed.length > 0 && Number.isFinite(rotatedAt) ? { keys: parsed, rotatedAt } : undefined;
  } catch {
    return undefined;
  }
}
