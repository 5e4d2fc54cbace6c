/** Alerts that the listener sends by itself, before OpenSSL has seen the connection (RFC 8446 §6.2). */
const ALERTS = {
  handshake_failure: 40,
  decode_error: 50,
  internal_error: 80,
  unrecognized_name: 112,
  no_application_protocol: 120,
} as const;

export type AlertName = keyof typeof ALERTS;

/**
 * A fatal alert in a plaintext record, which is what a server may send before its ServerHello. Node can only let
 * OpenSSL choose the alert, and offers no way to have it say `unrecognized_name` (RFC 6066 §3), so it is said by hand.
 */
export const fatalAlert = (name: AlertName): Buffer => Buffer.of(21, 3, 3, 0, 2, 2, ALERTS[name]);
