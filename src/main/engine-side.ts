import { createAcmeClient, obtainCertificate } from '../acme-client/index.ts';
import { type Clock, type Logger, newId } from '../base/index.ts';
import { type CertificateEngine, createCertificateEngine } from '../certificates/index.ts';
import type { PictureWriter } from '../picture/index.ts';
import { createSealer, type SecretStore } from '../secrets/index.ts';
import {
  type ChallengePresenter,
  createHttp01Solver,
  createSharedPresenter,
  createTlsAlpn01Solver,
  type OwnEdge,
} from '../solvers/index.ts';
import type { Store } from '../store/index.ts';
import type { AcmeSide } from './acme-side.ts';
import { certificateFiles } from './certificates-config.ts';
import type { ControlStart } from './control-start.ts';
import type { DnsSide } from './dns-side.ts';
import { VERSION } from './version.ts';

/** The certificate engine, with the edge and the DNS as the places where challenges are answered. */
export async function startEngine(
  start: ControlStart,
  deps: {
    store: Store;
    secrets: SecretStore;
    clock: Clock;
    log: Logger;
    picture: PictureWriter;
    acme: AcmeSide;
    dns: DnsSide;
    signal: AbortSignal;
  },
): Promise<CertificateEngine & { readonly stopped: Promise<unknown> }> {
  const { store, secrets, clock, log, picture, acme, dns, signal } = deps;
  // What is committed to the picture is answered by every worker's next look, so nothing has to be waited for.
  const edge: OwnEdge = { put: picture.putChallenge, remove: picture.deleteChallenge };
  // The lock on the data directory keeps a second process off the embedded store.
  const alone = store.dialect === 'sqlite';
  const sealer = createSealer(start.masterKeys);
  const replica = newId('edge', clock.now());
  const shared = alone ? undefined : createSharedPresenter({ store, sealer, clock, log, edge, replica });
  const presenter = shared ?? presenterOf(edge);
  const { contact, default_issuer } = start.config.acme;
  const engine = createCertificateEngine(
    {
      store,
      secrets,
      clock,
      log,
      acme: { connect: createAcmeClient, obtain: obtainCertificate },
      // tls-alpn-01 first: it needs no second port (RFC 8737).
      solvers: { edge: [createTlsAlpn01Solver(presenter, clock), createHttp01Solver(presenter)], dns: dns.solvers },
      preflight: dns.preflight,
    },
    {
      issuers: [default_issuer],
      alone,
      userAgent: `gatehouse/${VERSION} (ACME client; RFC 8555)`,
    },
  );
  await engine.prepare([{ id: 'internal-ca', directory: acme.internalDirectory, caPem: acme.ca.rootPem(), contact }]);
  picture.deleteExpiredChallenges(clock.now());
  const files = await engine.followFiles(certificateFiles(start.config.certificates));
  const stopped = Promise.all([
    files.run(signal),
    engine.run(signal).finally(() => engine.close()),
    shared?.run(signal),
  ]);
  return { ...engine, stopped };
}

const presenterOf = (edge: OwnEdge): ChallengePresenter => ({
  async present(challenge) {
    edge.put(challenge);
    return async () => edge.remove(challenge);
  },
});
