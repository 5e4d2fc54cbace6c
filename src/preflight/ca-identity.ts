/** A CA as CAA records know it (RFC 8659 §4.2). */
export interface CaIdentity {
  /** Issuer id here. */
  readonly issuer: string;
  /** Whether browsers trust it, so that it looks from the Internet and obeys CAA. */
  readonly isPublic: boolean;
  /** Names by which CAA records allow it; empty where they are not known. */
  readonly caNames: readonly string[];
  readonly accountUri?: string;
}

/** Host of the directory -> the CA's names, as each publishes them (`caaIdentities`, RFC 8555 §7.1.1). */
const KNOWN: readonly (readonly [suffix: string, caNames: readonly string[]])[] = [
  ['letsencrypt.org', ['letsencrypt.org']],
  ['zerossl.com', ['sectigo.com', 'trust-provider.com', 'usertrust.com', 'comodoca.com', 'comodo.com']],
  ['pki.goog', ['pki.goog']],
  ['ssl.com', ['ssl.com']],
  ['buypass.com', ['buypass.com']],
];

export function caIdentityOf(issuer: { id: string; directory: string }, accountUri?: string): CaIdentity {
  const host = URL.parse(issuer.directory)?.hostname ?? '';
  const known = KNOWN.find(([suffix]) => host === suffix || host.endsWith(`.${suffix}`));
  return {
    issuer: issuer.id,
    isPublic: known !== undefined,
    caNames: known?.[1] ?? [],
    ...(accountUri !== undefined && { accountUri }),
  };
}
