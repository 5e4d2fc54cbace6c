import type { Sealer } from '../secrets/index.ts';
import { challengeContext, keyContext, openPictureDatabase } from './database.ts';
import type { Route } from './route.ts';
import type { OpenChallenge, PictureChange, ServedCertificate } from './types.ts';

/** A worker's side: synchronous reads of a few microseconds from a local file. */
export interface PictureReader {
  /** Differs from the last answer whenever anything was committed since; costs about a microsecond. */
  dataVersion(): number;
  /**
   * Changes after `seq`, oldest first, or `undefined` when they are no longer kept and the follower must start again
   * from the whole picture.
   */
  changesSince(seq: number): PictureChange[] | undefined;
  latestChange(): number;
  routes(): IterableIterator<Route>;
  routesOf(host: string): Route[];
  /** The certificates to choose from for a server name: exact ones, then those of the wildcard above it. */
  certificatesFor(serverName: string): ServedCertificate[];
  certificateCount(): number;
  /** Not-after times of all certificates, for metrics: id -> ms since epoch. */
  expiries(): { id: string; names: string[]; notAfter: number }[];
  challenge(type: OpenChallenge['type'], label: string, now: number): OpenChallenge | undefined;
  close(): void;
}

export function createPictureReader(path: string, sealer: Sealer): PictureReader {
  const db = openPictureDatabase(path, true);
  const version = db.prepare('PRAGMA data_version');
  const latest = db.prepare('SELECT coalesce(max(seq), 0) AS seq FROM change');
  const oldest = db.prepare('SELECT coalesce(min(seq), 0) AS seq FROM change');
  const since = db.prepare('SELECT seq, kind, key FROM change WHERE seq > ? ORDER BY seq');
  const allRoutes = db.prepare('SELECT body FROM route');
  const hostRoutes = db.prepare('SELECT body FROM route WHERE host = ?');
  const byName = db.prepare(
    'SELECT c.* FROM certificate_name n JOIN certificate c ON c.id = n.certificate_id WHERE n.name = ?',
  );
  const count = db.prepare('SELECT count(*) AS n FROM certificate');
  const expiry = db.prepare('SELECT id, names, not_after FROM certificate');
  const challengeRow = db.prepare('SELECT body FROM challenge WHERE type = ? AND label = ? AND expires_at > ?');

  const decode = (row: Record<string, unknown>): ServedCertificate => ({
    id: row.id as string,
    version: row.version as string,
    names: JSON.parse(row.names as string) as string[],
    chain: row.chain as string,
    key: Buffer.from(
      sealer.open(row.key as Uint8Array, keyContext(row.id as string, row.version as string)),
    ).toString(),
    notBefore: row.not_before as number,
    notAfter: row.not_after as number,
    ...(row.staging === 1 && { staging: true }),
  });

  return {
    dataVersion: () => version.get()!.data_version as number,
    latestChange: () => latest.get()!.seq as number,
    changesSince(seq) {
      if (seq > 0 && seq + 1 < (oldest.get()!.seq as number)) return undefined;
      return since.all(seq) as unknown as PictureChange[];
    },
    *routes() {
      for (const row of allRoutes.iterate()) yield JSON.parse(row.body as string) as Route;
    },
    routesOf: (host) => hostRoutes.all(host).map((row) => JSON.parse(row.body as string) as Route),
    certificatesFor(serverName) {
      const exact = byName.all(serverName);
      const dot = serverName.indexOf('.');
      const wildcard = dot > 0 ? byName.all(`*${serverName.slice(dot)}`) : [];
      return [...exact, ...wildcard].map(decode);
    },
    certificateCount: () => count.get()!.n as number,
    expiries: () =>
      expiry.all().map((row) => ({
        id: row.id as string,
        names: JSON.parse(row.names as string) as string[],
        notAfter: row.not_after as number,
      })),
    challenge(type, label, now) {
      const row = challengeRow.get(type, label, now);
      if (row === undefined) return undefined;
      const plain = sealer.open(row.body as Uint8Array, challengeContext(type, label));
      return JSON.parse(Buffer.from(plain).toString()) as OpenChallenge;
    },
    close: () => db.close(),
  };
}
