import { writeFileSync } from 'node:fs';
import { type AcmeServer, createAcmeServer, longestLifetime, type UpstreamIssuers } from '../acme-server/index.ts';
import { type Clock, Fault, type Logger } from '../base/index.ts';
import {
  type CertificateAuthority,
  createCaHandler,
  createCertificateAuthority,
  distributionUrls,
} from '../ca/index.ts';
import type { SecretStore } from '../secrets/index.ts';
import type { Store } from '../store/index.ts';
import { listenForAcme } from './acme-listener.ts';
import type { CaConfig } from './ca-config.ts';
import { listenForRelyingParties } from './ca-listener.ts';
import { readConfigFile } from './config.ts';
import { type ControlStart, caRootFile } from './control-start.ts';
import { keepDefaultProfile } from './default-profile.ts';
import { openPerspectives, type Perspectives } from './perspective-renewal.ts';

/** The profile by which our own engine gets certificates for names on this machine. */
export const EMBEDDED_PROFILE = 'internal';

export interface AcmeSide {
  readonly ca: CertificateAuthority;
  readonly server: AcmeServer;
  readonly perspectives: Perspectives;
  readonly port: number;
  /** Of lists and OCSP over plain HTTP, where they are served so. */
  readonly caPort?: number;
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
  const { address, port, names, enabled } = start.config.acme_server;
  const isClosed = (path: string) =>
    !enabled && !path.startsWith(`/acme/profile/${EMBEDDED_PROFILE}/`) && path !== '/acme/nonce/redeem';
  const ca = await openCa(start, { store, secrets, clock, log });
  const answerForCa = createCaHandler(ca);
  const { address: caAddress, port: caPort } = start.config.ca;
  const relying =
    caPort === undefined
      ? undefined
      : await listenForRelyingParties({ address: caAddress, port: start.ports?.ca ?? caPort }, answerForCa);
  writeFileSync(caRootFile(start.dataDir), ca.rootPem());
  let origin = '';
  // The lock on the data directory keeps a second process off the embedded store.
  const alone = store.dialect === 'sqlite';
  let upstreamIssuers: UpstreamIssuers | undefined;
  const perspectives = await openPerspectives(start.config.acme_server.perspectives, start.dataDir, {
    store,
    secrets,
    clock,
    ca,
    log,
  });
  const server = await createAcmeServer({
    store,
    secrets,
    clock,
    logger: log,
    ca,
    alone,
    origins: () => [origin],
    upstream: () => upstreamIssuers,
    perspectives: perspectives.all,
  });
  const listener = await listenForAcme(
    {
      address,
      port: start.ports?.acme ?? port,
      names: [...names, 'localhost', '127.0.0.1', '::1'],
    },
    {
      ca,
      handle: (request, response) => {
        if (answerForCa(request, response)) return;
        if (isClosed(request.url ?? '')) response.writeHead(404).end();
        else server.handler(request, response);
      },
      clock,
      log,
      signal,
    },
  );
  origin = `https://${names[0] ?? 'localhost'}:${listener.port}`;
  await keepEmbeddedProfile(server, start.edge);
  await keepDefaultProfile(server, start.config.acme_server);
  ca.run(signal).catch((error: unknown) => {
    if (!signal.aborted) log.error({ err: error }, 'the CA does not look after itself any more');
  });
  perspectives.run(signal).catch((error: unknown) => {
    if (!signal.aborted) log.error({ err: error }, 'the identities of perspectives are renewed no more');
  });
  server.run(signal).catch((error: unknown) => {
    if (!signal.aborted) log.error({ err: error }, 'the ACME server takes up no more unfinished validations');
  });
  return {
    ca,
    server,
    perspectives,
    port: listener.port,
    ...(relying !== undefined && { caPort: relying.port }),
    directory: `${origin}/acme/directory`,
    internalDirectory: `${origin}/acme/profile/${EMBEDDED_PROFILE}/directory`,
    useUpstream(issuers) {
      upstreamIssuers = issuers;
    },
    async close() {
      await Promise.all([
        relying?.close(),
        new Promise<void>((resolve) => {
          listener.server.close(() => resolve());
          listener.server.closeIdleConnections();
        }),
      ]);
    },
  };
}

// All certificates of an installation are one account's here: what is right for a stranger would let an import of a
// thousand names wait for hours.
const OWN_LIMITS = {
  orders: { count: 20_000, per_seconds: 3600 },
  open_orders: 20_000,
  challenge_responses: { count: 40_000, per_seconds: 3600 },
};

/**
 * Makes the embedded profile, or brings it to where the edge is now. It validates on the edge's own ports and reaches
 * loopback alone: any other profile keeps ports 80 and 443 and public addresses.
 */
async function keepEmbeddedProfile({ administration }: AcmeServer, edge: ControlStart['edge']): Promise<void> {
  const validation = {
    // Without an edge the ports are those of everybody else.
    http_port: edge.httpPort || 80,
    tls_port: edge.httpsPort || 443,
    allowed_cidrs: ['127.0.0.0/8', '::1/128'],
  };
  try {
    await administration.updateProfile(EMBEDDED_PROFILE, { validation }, 'system');
  } catch (error) {
    if (!(error instanceof Fault) || error.details.status !== 404) throw error;
    const settings = { id: EMBEDDED_PROFILE, default: true, auth_mode: 'challenge', validation, limits: OWN_LIMITS };
    await administration.createProfile(settings, 'system');
  }
}

/** The authority as the configuration has it; one that is to be imported signs from then on. */
async function openCa(
  { config: { ca: config }, dataDir }: ControlStart,
  deps: { store: Store; secrets: SecretStore; clock: Clock; log: Logger },
): Promise<CertificateAuthority> {
  const { organization, name_constraints: nameConstraints, signers, url } = config;
  const ca = await createCertificateAuthority(deps, {
    hierarchy: { organization, nameConstraints, signers },
    ...(url !== undefined && { urls: distributionUrls(url.replace(/\/$/, '')) }),
    longestLeaf: () => longestLifetime(deps.store.db),
    log: deps.log,
    onRoots: (pem) => writeFileSync(caRootFile(dataDir), pem),
  });
  await importConfigured(config, ca);
  // Before anything is asked of an authority that has ended while nobody was there.
  await ca.keep();
  return ca;
}

async function importConfigured(config: CaConfig, ca: CertificateAuthority): Promise<void> {
  const { chain_file, key_file, passphrase_file, signer } = config.import ?? {};
  if (chain_file === undefined) return;
  if ((key_file === undefined) === (signer === undefined))
    throw new Fault({
      code: 'invalid_config',
      detail: 'ca.import needs exactly one of key_file and signer',
      party: 'operator',
      retry: 'never',
      field: 'ca.import',
    });
  const passphrase = passphrase_file && readConfigFile(passphrase_file).replace(/\r?\n$/, '');
  const key = signer === undefined ? { pem: readConfigFile(key_file!), ...(passphrase && { passphrase }) } : { signer };
  await ca.import({ chainPem: readConfigFile(chain_file), key }, 'system');
}
