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

/** Host of the directory -> the CA's names, for one that is public and whose directory cannot be read or names none. */
const KNOWN: readonly (readonly [suffix: string, caNames: readonly string[]])[] = [
  ['letsencrypt.org', ['letsencrypt.org']],
  ['zerossl.com', ['sectigo.com', 'trust-provider.com', 'usertrust.com', 'comodoca.com', 'comodo.com']],
  ['pki.goog', ['pki.goog']],
  ['ssl.com', ['ssl.com']],
  ['buypass.com', ['buypass.com']],
];

/** `caaIdentities` are what the directory says of itself (RFC 8555 §7.1.1). */
export function caIdentityOf(
  issuer: { id: string; directory: string },
  more: { readonly accountUri?: string | undefined; readonly caaIdentities?: readonly string[] | undefined } = {},
): CaIdentity {
  const host = URL.parse(issuer.directory)?.hostname ?? '';
  const known = KNOWN.find(([suffix]) => host === suffix || host.endsWith(`.${suffix}`));
  const { accountUri, caaIdentities = [] } = more;
  return {
    issuer: issuer.id,
    isPublic: known !== undefined,
    caNames: caaIdentities.length > 0 ? caaIdentities.map((name) => name.toLowerCase()) : (known?.[1] ?? []),
    ...(accountUri !== undefined && { accountUri }),
  };
}

/** Whether a CA says that it obeys CAA. Of another it is not known what it looks at. */
export const obeysCaa = (ca: CaIdentity | undefined): ca is CaIdentity => ca !== undefined && ca.caNames.length > 0;
