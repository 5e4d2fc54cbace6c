import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import type { ClientIdentity } from '../plane/types.ts';

// Node verifies in OpenSSL and tells the outcome only here; its own tls.Server asks the same.
interface VerifyingHandle {
  verifyError?(): Error | undefined | null;
}

/** `none`: the client gave no certificate. `refused`: one that does not verify, with OpenSSL's words. */
export type ClientVerification =
  | { readonly status: 'verified'; readonly identity: ClientIdentity }
  | { readonly status: 'none' }
  | { readonly status: 'refused'; readonly reason: string };

export function verifyClient(socket: TLSSocket): ClientVerification {
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return { status: 'none' };
  const handle = (socket as unknown as { ssl: VerifyingHandle | null }).ssl;
  if (handle?.verifyError === undefined) return { status: 'refused', reason: 'cannot be verified by this Node.js' };
  const error = handle.verifyError();
  if (error) return { status: 'refused', reason: error.message };
  return { status: 'verified', identity: identityOf(certificate) };
}

function identityOf(certificate: X509Certificate): ClientIdentity {
  return {
    subject: rfc2253(certificate.subject),
    names: (certificate.subjectAltName ?? '')
      .split(', ')
      .filter((name) => name !== '')
      .map((name) => name.replace(/^IP Address:/, 'IP:')),
    serial: certificate.serialNumber,
    fingerprint: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
  };
}

/** Node prints a subject one attribute a line, outermost first; RFC 2253 §2.1 is one line, innermost first. */
function rfc2253(subject: string): string {
  return (subject ?? '').split('\n').reverse().join(',');
}
