import { createHash } from 'node:crypto';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Clock, Logger } from '../base/index.ts';
import type { CertificateAuthority } from '../ca/index.ts';
import { type AgentCaPort, createAgentHandler, createEnrolments, type Enrolments } from '../network/index.ts';
import { insertCertificate } from '../store/ca.ts';
import type { Store } from '../store/index.ts';
import { parseCertificationRequest, parsePem, pemOf } from '../x509/index.ts';

const DAY_MS = 86_400_000;
const AGENT_LIFETIME_MS = 30 * DAY_MS;
const SERVER_LIFETIME_MS = 90 * DAY_MS;
const RETRY_MS = 60_000;

export interface AgentSide {
  readonly enrolments: Enrolments;
  readonly port: number;
  close(): Promise<void>;
}

/** The listener for agents: TLS by our own CA on both sides. */
export async function startAgents(
  config: { address: string; port: number; names: readonly string[] },
  deps: { store: Store; clock: Clock; log: Logger; ca: CertificateAuthority; signal: AbortSignal },
): Promise<AgentSide> {
  const { store, clock, log, ca, signal } = deps;
  const port: AgentCaPort = { rootPem: () => ca.rootPem(), issue: (csr, name) => issue(deps, csr, name) };
  const enrolments = createEnrolments({ store, clock, ca: port });
  const names = [...config.names, 'localhost', '127.0.0.1', '::1'];
  let own = await ca.issueServerCertificate(names, { lifetime: SERVER_LIFETIME_MS });
  const tls = () => ({
    cert: own.chainPem,
    key: own.keyPem,
    ca: ca.rootPem(),
    requestCert: true,
    // Who has none yet comes to enrol; every other request looks at the certificate itself.
    rejectUnauthorized: false,
    minVersion: 'TLSv1.3' as const,
  });
  const server = createServer(tls(), createAgentHandler({ store, clock, log, ca: port, enrolments }));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(config.port, config.address, resolve);
  });
  const keepFresh = async () => {
    while (!signal.aborted) {
      await clock.sleep(Math.max(RETRY_MS, own.notAfter - SERVER_LIFETIME_MS / 3 - clock.now()), signal);
      own = await ca.issueServerCertificate(names, { lifetime: SERVER_LIFETIME_MS });
      server.setSecureContext(tls());
    }
  };
  keepFresh().catch((error: unknown) => {
    if (!signal.aborted) log.error({ err: error }, 'the listener for agents keeps its certificate');
  });
  return {
    enrolments,
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function issue(
  { ca, store, clock }: { ca: CertificateAuthority; store: Store; clock: Clock },
  csrPem: string,
  name: string,
): Promise<{ chainPem: string; notAfter: number }> {
  // Its own signature is checked on reading, so the asker holds the key; the names are ours to give.
  const { spki } = parseCertificationRequest(parsePem('CERTIFICATE REQUEST', csrPem)[0]!);
  const now = clock.now();
  const row = await ca.issue({
    spki,
    spkiHash: createHash('sha256').update(spki).digest('hex'),
    keyIsRsa: false,
    dns: [name],
    ip: [],
    notBefore: now,
    notAfter: now + AGENT_LIFETIME_MS,
    extendedKeyUsage: ['clientAuth'],
  });
  await store.write((tx) => insertCertificate(tx, row));
  const chain = [Buffer.from(row.certificate), ...((await ca.chains(row.authority_id))[0] ?? [])];
  return { chainPem: chain.map((der) => pemOf('CERTIFICATE', der)).join(''), notAfter: row.not_after };
}
