import { createHash, randomBytes } from 'node:crypto';
import { type Identifier, reverseName } from '../acme/index.ts';
import type { ChallengeSolver } from '../acme-client/index.ts';
import type { Clock } from '../base/index.ts';
import {
  directoryString,
  generateKey,
  integerContent,
  keyPem,
  OID,
  pemOf,
  signatureAlgorithmOf,
  signBytes,
  spkiOf,
  writeAcmeIdentifier,
  writeCertificateBody,
  writeName,
  writeSigned,
} from '../x509/index.ts';
import type { ChallengePresenter } from './presenter.ts';

/** RFC 8737: a handshake with ALPN `acme-tls/1` gets a self-signed certificate that holds the digest. */
export function createTlsAlpn01Solver(presenter: ChallengePresenter, clock: Clock): ChallengeSolver {
  return {
    type: 'tls-alpn-01',
    canSolve: (_, wildcard) => !wildcard,
    async present({ identifier, keyAuthorization, expiresAt }) {
      const { chain, key } = await createChallengeCertificate(identifier, keyAuthorization, clock.now());
      // RFC 8738 §6: an address is asked for by its reverse name.
      const serverName = identifier.type === 'ip' ? reverseName(identifier.value) : identifier.value;
      return presenter.present({ type: 'tls-alpn-01', serverName, chain, key, expiresAt });
    },
  };
}

const DAY = 24 * 3_600_000;

/** RFC 8737 §3: the name alone in subjectAltName, and the critical acmeIdentifier extension. */
export async function createChallengeCertificate(
  identifier: Identifier,
  keyAuthorization: string,
  now: number,
): Promise<{ chain: string; key: string }> {
  const key = await generateKey('ec-p256');
  const algorithm = signatureAlgorithmOf(key);
  const name = writeName([[OID.commonName, directoryString('ACME challenge')]]);
  const body = writeCertificateBody({
    serial: integerContent(randomBytes(16)),
    signature: algorithm,
    issuer: name,
    subject: name,
    // A validator whose clock differs must not stumble over it.
    notBefore: now - DAY,
    notAfter: now + 7 * DAY,
    spki: spkiOf(key),
    keyUsage: ['digitalSignature'],
    names: identifier.type === 'ip' ? { dns: [], ip: [identifier.value] } : { dns: [identifier.value], ip: [] },
    extra: [writeAcmeIdentifier(createHash('sha256').update(keyAuthorization).digest())],
  });
  const der = writeSigned(body, algorithm, signBytes(algorithm, body, key));
  return { chain: pemOf('CERTIFICATE', der), key: keyPem(key) };
}
