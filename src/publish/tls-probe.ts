import { X509Certificate } from 'node:crypto';
import { connect, type DetailedPeerCertificate } from 'node:tls';
import { sha256Hex } from '../base/index.ts';
import type { ServingProbe } from './probe.ts';
import type { Shown } from './shown.ts';

/** Looks by a real handshake with the data plane at `address`, whoever signed what it shows. */
export const createTlsProbe = (address: () => { host: string; port: number }): ServingProbe => ({
  look: (servername, signal) =>
    new Promise((resolve, reject) => {
      // Nothing is sent and nothing trusted: the question is only what is shown. Without roots of our own, no
      // certificate that was not sent is taken for a part of the chain.
      const socket = connect(
        { ...address(), servername, rejectUnauthorized: false, ca: [], ALPNProtocols: ['http/1.1'] },
        () => {
          const leaf = socket.getPeerCertificate(true);
          if (leaf.raw === undefined) reject(new Error('no certificate was shown'));
          else resolve(shownOf(leaf));
          socket.destroy();
        },
      );
      const onAbort = () => socket.destroy(new Error('no handshake in time'));
      signal.addEventListener('abort', onAbort, { once: true });
      socket.on('error', reject);
      socket.on('close', () => {
        signal.removeEventListener('abort', onAbort);
        reject(new Error('the connection ended before a certificate was shown'));
      });
    }),
});

const MOST_ABOVE = 10;

function shownOf(peer: DetailedPeerCertificate): Shown {
  const leaf = new X509Certificate(peer.raw);
  const above: string[] = [];
  for (let at = peer; above.length < MOST_ABOVE; at = at.issuerCertificate) {
    // A self-signed one names itself as its issuer.
    const next = at.issuerCertificate as DetailedPeerCertificate | undefined;
    if (next === undefined || next.raw.equals(at.raw)) break;
    above.push(sha256Hex(next.raw));
  }
  return {
    fingerprint: sha256Hex(peer.raw),
    serial: leaf.serialNumber.toLowerCase().replace(/^00(?=..)/, ''),
    issuerName: text(peer.issuer.CN) ?? text(peer.issuer.O) ?? leaf.issuer.slice(0, 200),
    notAfter: Date.parse(leaf.validTo),
    selfSigned: leaf.checkIssued(leaf),
    above,
  };
}

const text = (value: string | string[] | undefined): string | undefined => [value].flat()[0]?.slice(0, 200);
