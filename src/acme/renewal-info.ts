/** RFC 9773 §4.2. Times are RFC 3339. */
export interface RenewalInfoObject {
  readonly suggestedWindow: { readonly start: string; readonly end: string };
  readonly explanationURL?: string;
}

/**
 * The unique identifier of a certificate in renewal-info URLs and `replaces` (RFC 9773 §4.1): base64url of the key
 * identifier in its Authority Key Identifier extension, a dot, base64url of its serial number's DER content bytes.
 */
export function ariCertificateId(authorityKeyIdentifier: Uint8Array, serial: Uint8Array): string {
  const encode = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url');
  return `${encode(authorityKeyIdentifier)}.${encode(serial)}`;
}
