import type { RequestListener } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { Clock, Logger } from '../base/index.ts';
import type { CertificateAuthority } from '../ca/index.ts';

const DAY = 86_400_000;
const LIFETIME = 90 * DAY;
const RETRY = 60_000;

/**
 * The HTTPS server in front of the ACME server, with a certificate of our own CA that is replaced when a third of its
 * life is left. ACME has no better way to begin: a client must trust the CA's server before it can ask it for anything.
 */
export async function listenForAcme(
  options: { address: string; port: number; names: readonly string[] },
  deps: { ca: CertificateAuthority; handle: RequestListener; clock: Clock; log: Logger; signal: AbortSignal },
): Promise<{ server: Server; port: number }> {
  const { ca, clock, log, signal } = deps;
  const issue = () => ca.issueServerCertificate(options.names, { lifetime: LIFETIME });
  let current = await issue();
  const server = createServer({ cert: current.chainPem, key: current.keyPem, minVersion: 'TLSv1.2' }, deps.handle);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.address, resolve);
  });
  const keepFresh = async () => {
    while (!signal.aborted) {
      await clock.sleep(Math.max(RETRY, current.notAfter - LIFETIME / 3 - clock.now()), signal);
      try {
        current = await issue();
        server.setSecureContext({ cert: current.chainPem, key: current.keyPem, minVersion: 'TLSv1.2' });
      } catch (error) {
        log.error({ err: error }, 'the ACME server keeps its certificate; the next try to replace it is in a minute');
      }
    }
  };
  keepFresh().catch(() => {});
  return { server, port: (server.address() as { port: number }).port };
}
