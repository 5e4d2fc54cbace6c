import { createHash } from 'node:crypto';
import { connect } from 'node:tls';
import { keyAuthorization, reverseName } from '../../acme/index.ts';
import { errorText } from '../../base/index.ts';
import { OID, type ParsedCertificate, parseCertificate } from '../../x509/index.ts';
import { Refusal } from '../refusal.ts';
import { reachableAddresses } from './target.ts';
import type { ValidationTask, Validator } from './validator.ts';

const PROTOCOL = 'acme-tls/1';

/** RFC 8737 §3; addresses by RFC 8738 §6. */
export const validateTlsAlpn01: Validator = async (task, signal) => {
  const addresses = await reachableAddresses(task.identifier, task.policy, signal);
  let last: unknown;
  for (const address of addresses) {
    let shown: { protocol: string | false | null; der: Buffer };
    try {
      shown = await handshake(address, task, signal);
    } catch (error) {
      last = error;
      if (signal.aborted) break;
      continue;
    }
    return requireProof(shown, task);
  }
  const why = signal.aborted ? 'no answer in time' : errorText(last);
  const type = isTlsError(last) ? 'tls' : 'connection';
  const where = addresses.map((address) => `${address} port ${task.policy.tls_port}`).join(', ');
  throw new Refusal(type, `${task.identifier.value}: ${why} (tried ${where})`, {}, last);
};

const isTlsError = (error: unknown): boolean =>
  error instanceof Error && /^ERR_SSL|^EPROTO|ALERT/.test(String((error as NodeJS.ErrnoException).code));

function handshake(
  address: string,
  { identifier, policy }: ValidationTask,
  signal: AbortSignal,
): Promise<{ protocol: string | false | null; der: Buffer }> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      host: address,
      port: policy.tls_port,
      servername: identifier.type === 'ip' ? reverseName(identifier.value) : identifier.value,
      ALPNProtocols: [PROTOCOL],
      // The certificate is self-signed by design, and judged below.
      rejectUnauthorized: false,
      minVersion: 'TLSv1.2',
    });
    const abort = () => socket.destroy(new Error('no answer in time'));
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    socket.once('secureConnect', () => {
      const der = socket.getPeerX509Certificate()?.raw;
      const protocol = socket.alpnProtocol;
      socket.destroy();
      if (der === undefined) reject(new Error('no certificate was shown'));
      else resolve({ protocol, der });
    });
    socket.once('error', reject);
    socket.once('close', () => {
      signal.removeEventListener('abort', abort);
      reject(new Error('the connection was closed during the handshake'));
    });
  });
}

function requireProof({ protocol, der }: { protocol: string | false | null; der: Buffer }, task: ValidationTask): void {
  const name = task.identifier.value;
  if (protocol !== PROTOCOL) throw new Refusal('tls', `${name}: the server did not choose the protocol ${PROTOCOL}`);
  let certificate: ParsedCertificate;
  try {
    certificate = parseCertificate(der);
  } catch (cause) {
    throw new Refusal('unauthorized', `${name}: the certificate shown cannot be read: ${errorText(cause)}`, {}, cause);
  }
  if (!certificate.issuer.equals(certificate.subject))
    throw new Refusal('unauthorized', `${name}: the certificate shown is not self-signed`);
  const { dns, ip, others } = certificate.names;
  const exact =
    task.identifier.type === 'ip'
      ? dns.length === 0 && ip.length === 1 && ip[0] === name
      : ip.length === 0 && dns.length === 1 && dns[0] === name;
  if (!exact || others.length > 0)
    throw new Refusal('unauthorized', `${name}: the certificate shown must have this one name in subjectAltName`);
  const extension = certificate.extensions.find(({ oid }) => oid === OID.acmeIdentifier);
  if (extension === undefined)
    throw new Refusal('unauthorized', `${name}: the certificate shown has no acmeIdentifier extension`);
  if (!extension.critical) throw new Refusal('unauthorized', `${name}: the acmeIdentifier extension is not critical`);
  const digest = createHash('sha256').update(keyAuthorization(task.token!, task.thumbprint)).digest();
  if (!extension.value.equals(Buffer.concat([Buffer.from([0x04, 0x20]), digest])))
    throw new Refusal(
      'unauthorized',
      `${name}: the acmeIdentifier extension is not the digest of the key authorization`,
    );
}
