import { connect } from 'node:tls';
import type { ServingProbe } from './probe.ts';

/** Looks by a real handshake with the data plane at `address`, whoever signed what it shows. */
export const createTlsProbe = (address: () => { host: string; port: number }): ServingProbe => ({
  look: (servername, signal) =>
    new Promise((resolve, reject) => {
      // Nothing is sent and nothing trusted: the question is only which certificate is shown.
      const socket = connect(
        { ...address(), servername, rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] },
        () => {
          const leaf = socket.getPeerX509Certificate();
          if (leaf === undefined) reject(new Error('no certificate was shown'));
          else resolve(leaf.raw);
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
