import type { KeyObject } from 'node:crypto';
import { problemTypeOf } from '../acme/index.ts';
import { Fault } from '../base/index.ts';
import { type AcmeAccount, signerOf } from './account.ts';
import { publicJwk } from './jws.ts';
import type { Requests } from './request.ts';

export interface Revocation {
  /** DER of the leaf. */
  readonly certificate: Uint8Array;
  /** RFC 5280 §5.3.1. */
  readonly reason: number;
  /** By the account that ordered it, or by the certificate's own key (RFC 8555 §7.6). */
  readonly by: { readonly account: AcmeAccount } | { readonly certificateKey: KeyObject };
}

/** Revoked when it resolves; a certificate that was revoked already is. */
export async function revoke(requests: Requests, revocation: Revocation, signal?: AbortSignal): Promise<void> {
  const { revokeCert } = await requests.directory(signal);
  const { by, certificate, reason } = revocation;
  const signer =
    'account' in by
      ? signerOf(by.account)
      : { key: by.certificateKey, identity: { jwk: publicJwk(by.certificateKey) } };
  // RFC 8555 §7.6: reason 0 is better left out.
  const payload = { certificate: Buffer.from(certificate).toString('base64url'), ...(reason !== 0 && { reason }) };
  try {
    await requests.post(signer, revokeCert, payload, { signal });
  } catch (error) {
    if (!(error instanceof Fault) || problemTypeOf(error.code) !== 'alreadyRevoked') throw error;
  }
}
