import type { KeyObject } from 'node:crypto';
import type { AccountObject } from '../acme/index.ts';
import { Fault } from '../base/index.ts';
import { bindExternalAccount, publicJwk, signJws, thumbprintOf } from './jws.ts';
import { parseJson } from './problem-fault.ts';
import type { Requests, Signer } from './request.ts';

/** An account at a CA, ready to sign with. */
export interface AcmeAccount {
  /** Its URL, the `kid` of its requests. */
  readonly url: string;
  readonly key: KeyObject;
  /** RFC 7638. */
  readonly thumbprint: string;
}

export interface Registration {
  /** `mailto:` URLs. */
  readonly contact?: readonly string[];
  /** External account binding (RFC 8555 §7.3.4). */
  readonly eab?: { readonly kid: string; readonly hmacKey: Uint8Array };
  /** Find the account of this key, and make none (RFC 8555 §7.3.1). */
  readonly onlyExisting?: boolean;
}

export const accountOf = (url: string, key: KeyObject): AcmeAccount => ({ url, key, thumbprint: thumbprintOf(key) });

export const signerOf = (account: AcmeAccount): Signer => ({ key: account.key, identity: { kid: account.url } });

/** Registers the key, or finds the account that it already has. Agrees to the terms: that is the operator's standing order. */
export async function register(
  requests: Requests,
  key: KeyObject,
  { contact = [], eab, onlyExisting }: Registration,
  signal?: AbortSignal,
): Promise<AcmeAccount> {
  const { newAccount, meta } = await requests.directory(signal);
  if (meta?.externalAccountRequired === true && eab === undefined && onlyExisting !== true)
    throw new Fault({
      code: 'eab_required',
      detail: 'this CA binds accounts to its customers, and the issuer has no key id and HMAC key',
      party: 'operator',
      retry: 'backoff',
      advice: 'give the issuer the key id and HMAC key that the CA handed out (EAB)',
    });
  const payload =
    onlyExisting === true
      ? { onlyReturnExisting: true }
      : {
          termsOfServiceAgreed: true,
          ...(contact.length > 0 && { contact }),
          ...(eab !== undefined && { externalAccountBinding: bindExternalAccount(key, newAccount, eab) }),
        };
  const signer = { key, identity: { jwk: publicJwk(key) } };
  const response = await requests.post(signer, newAccount, payload, { signal });
  const { location } = response.headers;
  const { status } = parseJson(response.body) as Partial<AccountObject>;
  if (typeof location !== 'string' || (status !== undefined && status !== 'valid'))
    throw new Fault({
      code: 'account_unusable',
      detail: `the CA answers that our account is ${status ?? 'nowhere'}`,
      party: 'ca',
      retry: 'backoff',
    });
  return accountOf(location, key);
}

/** RFC 8555 §7.3.2. */
export async function updateContact(
  requests: Requests,
  account: AcmeAccount,
  contact: readonly string[],
  signal?: AbortSignal,
): Promise<void> {
  await requests.post(signerOf(account), account.url, { contact }, { signal });
}

/** RFC 8555 §7.3.6; for good. */
export async function deactivate(requests: Requests, account: AcmeAccount, signal?: AbortSignal): Promise<void> {
  await requests.post(signerOf(account), account.url, { status: 'deactivated' }, { signal });
}

/** RFC 8555 §7.3.5: the new key signs that it takes over, the old one that it agrees. */
export async function changeKey(
  requests: Requests,
  account: AcmeAccount,
  newKey: KeyObject,
  signal?: AbortSignal,
): Promise<AcmeAccount> {
  const { keyChange } = await requests.directory(signal);
  const inner = signJws(newKey, { jwk: publicJwk(newKey) }, keyChange, {
    account: account.url,
    oldKey: publicJwk(account.key),
  });
  await requests.post(signerOf(account), keyChange, inner, { signal });
  return accountOf(account.url, newKey);
}
