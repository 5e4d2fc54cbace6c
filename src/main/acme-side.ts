import { writeFileSync } from 'node:fs';
import { type AcmeServer, createAcmeServer, type UpstreamIssuers } from '../acme-server/index.ts';
import { type Clock, Fault, type Logger } from '../base/index.ts';
import { type CertificateAuthority, createCertificateAuthority } from '../ca/index.ts';
import type { SecretStore } from '../secrets/index.ts';
import type { Store } from '../store/index.ts';
import { listenForAcme } from './acme-listener.ts';
import { type ControlStart, caRootFile } from './control-start.ts';

/** The profile by which our own engine gets certificates for names on this machine. */
export const EMBEDDED_PROFILE = 'internal';

export interface AcmeSide {
  readonly ca: CertificateAuthority;
  readonly server: AcmeServer;
  readonly port: number;
  /** URL of the default profile's directory. */
  readonly directory: string;
  /** URL of the embedded profile's directory. */
  readonly internalDirectory: string;
  /** Gives profiles the issuers before which they may stand as registration authorities. */
  useUpstream(issuers: UpstreamIssuers): void;
  /** Ends the listener; running requests finish. */
  close(): Promise<void>;
}

/** The certificate authority, the ACME server over it, and the HTTPS listener in front. */
export async function startAcmeSide(
  start: ControlStart,
  deps: { store: Store; secrets: SecretStore; clock: Clock; log: Logger; signal: AbortSignal },
): Promise<AcmeSide> {
  const { store, secrets, clock, log, signal } = deps;
  const { address, port, names } = start.config.acme_server;
  const ca = await createCertificateAuthority({ store, secrets, clock });
  writeFileSync(caRootFile(start.dataDir), ca.rootPem());
  let origin = '';
  // The lock on the data directory keeps a second process off the embedded store.
  const alone = store.dialect === 'sqlite';
  let upstreamIssuers: UpstreamIssuers | undefined;
  const server = await createAcmeServer({
    store,
    secrets,
    clock,
    logger: log,
    ca,
    alone,
    origins: () => [origin],
    upstream: () => upstreamIssuers,
  });
  const listener = await listenForAcme(
    { address, port: start.ports?.acme ?? port, names: [...names, 'localhost', '127.0.0.1', '::1'] },
    { ca, handle: server.handler, clock, log, signal },
  );
  origin = `https://${names[0] ?? 'localhost'}:${listener.port}`;
  await keepEmbeddedProfile(server, start.edge);
  server.run(signal).catch((error: unknown) => {
    if (!signal.aborted) log.error({ err: error }, 'the ACME server takes up no more unfinished validations');
  });
  return {
    ca,
    server,
    port: listener.port,
    directory: `${origin}/acme/directory`,
    internalDirectory: `${origin}/acme/profile/${EMBEDDED_PROFILE}/directory`,
    useUpstream(issuers) {
      upstreamIssuers = issuers;
    },
    close: () =>
      new Promise((resolve) => {
        listener.server.close(() => resolve());
        listener.server.closeIdleConnections();
      }),
  };
}

/**
 * Makes the embedded profile, or brings it to where the edge is now. It validates on the edge's own ports and reaches
 * loopback alone: any other profile keeps ports 80 and 443 and public addresses.
 */
async function keepEmbeddedProfile({ administration }: AcmeServer, edge: ControlStart['edge']): Promise<void> {
  const validation = {
    http_port: edge.httpPort,
    tls_port: edge.httpsPort,
    allowed_cidrs: ['127.0.0.0/8', '::1/128'],
  };
  try {
    await administration.updateProfile(EMBEDDED_PROFILE, { validation }, 'system');
  } catch (error) {
    if (!(error instanceof Fault) || error.details.status !== 404) throw error;
    const settings = { id: EMBEDDED_PROFILE, default: true, auth_mode: 'challenge', validation };
    await administration.createProfile(settings, 'system');
  }
}
