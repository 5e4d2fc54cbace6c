import { eventsOf } from '../store/certificate-events.ts';
import { servedVersion, versionsOf } from '../store/certificate-versions.ts';
import {
  CERTIFICATE_STATUSES,
  certificateById,
  countByStatus,
  endAllLeases,
  listCertificates,
} from '../store/certificates.ts';
import { generateKey } from '../x509/index.ts';
import { type CertificateFile, type FollowedFiles, followCertificateFiles } from './certificate-files.ts';
import type { Certificates } from './face.ts';
import { importCertificate, parseBrought } from './imported.ts';
import {
  type BuiltInIssuer,
  createConnections,
  createIssuers,
  type Issuers,
  installBuiltIn,
  LETS_ENCRYPT,
} from './issuers.ts';
import { createLoop } from './loop.ts';
import { createMassRevocation, type MassRevocation } from './mass-revocation.ts';
import { DEFAULTS, type Engine, type EngineDeps, type EngineSettings } from './ports.ts';
import { createRegistrar, type Registrar } from './registrar.ts';
import { withdraw } from './revocation.ts';
import { renewWithin } from './try-now.ts';
import { viewCertificate, viewEvent, viewVersion } from './views.ts';
import { ensureWithin, referWithin, releaseWithin } from './wishes.ts';

export interface CertificateEngine {
  readonly certificates: Certificates;
  readonly issuers: Issuers;
  /** For requests that others made: certificates of an issuer through our accounts and solvers. */
  readonly registrar: Registrar;
  /** Rehearses the revocation of many, and does it: replacements first, at a bounded rate. */
  readonly massRevocation: MassRevocation;
  /** Writes the built-in issuers as they are now, `internal-ca` among them where it is given. Before anything else. */
  prepare(builtIn?: readonly BuiltInIssuer[]): Promise<void>;
  /** Serves certificates from files; throws a `Fault` where one was promised and there is none to serve. */
  followFiles(files: readonly CertificateFile[]): Promise<FollowedFiles>;
  /** Works until the signal: wakes when something is wished, and otherwise when the next certificate is due. */
  run(signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

export function createCertificateEngine(deps: EngineDeps, settings: EngineSettings = {}): CertificateEngine {
  const engine: Engine = { random: Math.random, newKey: generateKey, ...DEFAULTS, ...settings, ...deps };
  const connections = createConnections(engine);
  const loop = createLoop({ engine, connections });
  return {
    certificates: createCertificates(engine, loop.wake),
    issuers: createIssuers(engine, connections),
    registrar: createRegistrar(engine, connections),
    massRevocation: createMassRevocation(engine, loop.wake),
    async prepare(builtIn = []) {
      await installBuiltIn(engine, [...LETS_ENCRYPT, ...builtIn]);
      if (engine.alone) await engine.store.write((tx) => endAllLeases(tx, engine.clock.now()));
    },
    followFiles: (files) => followCertificateFiles(engine, files),
    run: loop.run,
    close: connections.close,
  };
}

function createCertificates(engine: Engine, wake: () => void): Certificates {
  const { store, clock } = engine;
  const view = (row: Parameters<typeof viewCertificate>[1]) => viewCertificate(store.db, row, clock.now());
  return {
    wake,
    async ensure(wish) {
      const id = await store.write((tx) => ensureWithin(engine, tx, wish));
      wake();
      return id;
    },
    ensureWithin: (tx, wish) => ensureWithin(engine, tx, wish),
    refer: (id, wish) => store.write((tx) => referWithin(tx, id, wish, clock.now())),
    async release(reference, id) {
      await store.write((tx) => releaseWithin(engine, tx, reference, id));
      wake();
    },
    releaseWithin: (tx, reference, id) => releaseWithin(engine, tx, reference, id),
    async get(id) {
      const row = await certificateById(store.db, id);
      return row && view(row);
    },
    async getMany(ids) {
      if (ids.length === 0) return [];
      return Promise.all((await listCertificates(store.db, { ids }, { limit: ids.length })).map(view));
    },
    list: async (filter, page) => Promise.all((await listCertificates(store.db, filter, page)).map(view)),
    async counts() {
      const counts = await countByStatus(store.db);
      return Object.fromEntries(CERTIFICATE_STATUSES.map((status) => [status, counts[status] ?? 0])) as Awaited<
        ReturnType<Certificates['counts']>
      >;
    },
    versions: async (id) => (await versionsOf(store.db, id)).map(viewVersion),
    events: async (id, after, limit) => (await eventsOf(store.db, id, { after, limit })).map(viewEvent),
    chain: async (id) => (await servedVersion(store.db, id))?.chain,
    async renew(id) {
      await store.write((tx) => renewWithin(engine, tx, id));
      wake();
    },
    async revoke(id, reason, replace) {
      await withdraw(engine, id, reason, replace);
      wake();
    },
    async upload(chain, key, reference) {
      const brought = parseBrought(chain, key, { chain: 'chain_pem', key: 'private_key_pem' }, clock.now());
      const id = await importCertificate(engine, brought, reference, 'chain_pem');
      wake();
      return id;
    },
  };
}
