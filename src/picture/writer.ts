import { chmodSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Sealer } from '../secrets/index.ts';
import { challengeContext, keyContext, openPictureDatabase } from './database.ts';
import type { Route } from './route.ts';
import type { OpenChallenge, ServedCertificate } from './types.ts';

/** The control half's side. Every method is one transaction, visible to every worker's next lookup when it returns. */
export interface PictureWriter {
  putRoute(route: Route): void;
  deleteRoute(id: string): void;
  /**
   * Makes `routes` all that there is of `group`: their ids are `group` itself or `group/…`. What is already so is left
   * alone, and nobody is told of it.
   */
  replaceRoutes(group: string, routes: readonly Route[]): void;
  putCertificate(certificate: ServedCertificate): void;
  deleteCertificate(id: string): void;
  putChallenge(challenge: OpenChallenge): void;
  deleteChallenge(challenge: OpenChallenge): void;
  deleteExpiredChallenges(now: number): void;
  /** What is there now, for comparing with what is wanted. */
  routeIds(): Set<string>;
  /** Certificate id -> version. */
  certificateVersions(): Map<string, string>;
  certificateVersion(id: string): string | undefined;
  /** A named position, such as a publisher's cursor in the store's change log; kept with the picture it describes. */
  mark(name: string): string | undefined;
  setMark(name: string, value: string): void;
  dropMark(name: string): void;
  /** Runs several of the above as one transaction. */
  batch(work: () => void): void;
  close(): void;
}

export const challengeLabel = (challenge: OpenChallenge): string =>
  challenge.type === 'http-01' ? challenge.token : challenge.serverName;

/** Opens the picture at `path`, making it when absent. One writer at a time. */
export function createPictureWriter(path: string, sealer: Sealer): PictureWriter {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const db = openPictureDatabase(path, false);
  chmodSync(path, 0o600);
  const run = (sql: string) => {
    const statement = db.prepare(sql);
    return (...values: (string | number | Uint8Array)[]) => Number(statement.run(...values).changes);
  };
  const insertRoute = run('INSERT OR REPLACE INTO route (id, host, body) VALUES (?, ?, ?)');
  const removeRoute = run('DELETE FROM route WHERE id = ?');
  // '0' follows '/' in ASCII, so this range is everything that begins with `group/`.
  const groupRoutes = db.prepare("SELECT id, body FROM route WHERE id = ? OR (id >= ? || '/' AND id < ? || '0')");
  const routeHost = db.prepare('SELECT host FROM route WHERE id = ?');
  const insertCertificate = run('INSERT OR REPLACE INTO certificate VALUES (?, ?, ?, ?, ?, ?, ?, ?)');
  const removeCertificate = run('DELETE FROM certificate WHERE id = ?');
  const insertName = run('INSERT OR REPLACE INTO certificate_name VALUES (?, ?)');
  const removeNames = run('DELETE FROM certificate_name WHERE certificate_id = ?');
  const insertChallenge = run('INSERT OR REPLACE INTO challenge VALUES (?, ?, ?, ?)');
  const removeChallenge = run('DELETE FROM challenge WHERE type = ? AND label = ?');
  const removeExpired = run('DELETE FROM challenge WHERE expires_at <= ?');
  const noteChange = run('INSERT INTO change (kind, key) VALUES (?, ?)');
  // A follower that fell further behind than this starts again from the whole picture.
  const trimChanges = run('DELETE FROM change WHERE seq <= (SELECT max(seq) FROM change) - 100000');
  const versionOf = db.prepare('SELECT version FROM certificate WHERE id = ?');
  const getMark = db.prepare('SELECT value FROM mark WHERE name = ?');
  const removeMark = run('DELETE FROM mark WHERE name = ?');
  const putMark = run('INSERT OR REPLACE INTO mark VALUES (?, ?)');

  let depth = 0;
  const batch = (work: () => void) => {
    if (depth > 0) return work();
    db.exec('BEGIN IMMEDIATE');
    depth++;
    try {
      work();
      trimChanges();
      db.exec('COMMIT');
    } catch (error) {
      db.exec('ROLLBACK');
      throw error;
    } finally {
      depth--;
    }
  };
  const forgetRoute = (id: string) => {
    const before = routeHost.get(id) as { host: string } | undefined;
    if (before !== undefined && removeRoute(id) > 0) noteChange('route', before.host);
  };

  return {
    batch,
    putRoute: (route) =>
      batch(() => {
        forgetRoute(route.id);
        insertRoute(route.id, route.host, JSON.stringify(route));
        noteChange('route', route.host);
      }),
    deleteRoute: (id) => batch(() => forgetRoute(id)),
    replaceRoutes: (group, routes) => {
      const rows = groupRoutes.all(group, group, group);
      const before = new Map(rows.map((row) => [row.id as string, row.body as string]));
      const wanted = new Map(routes.map((route) => [route.id, JSON.stringify(route)]));
      const gone = [...before.keys()].filter((id) => !wanted.has(id));
      const altered = routes.filter(({ id }) => before.get(id) !== wanted.get(id));
      if (gone.length === 0 && altered.length === 0) return;
      batch(() => {
        for (const id of [...gone, ...altered.map(({ id }) => id)]) forgetRoute(id);
        for (const { id, host } of altered) {
          insertRoute(id, host, wanted.get(id)!);
          noteChange('route', host);
        }
      });
    },
    putCertificate: (certificate) =>
      batch(() => {
        const { id, version, names, chain, key, notBefore, notAfter, staging = false } = certificate;
        const sealed = sealer.seal(Buffer.from(key), keyContext(id, version));
        removeNames(id);
        insertCertificate(id, version, JSON.stringify(names), chain, sealed, notBefore, notAfter, Number(staging));
        for (const name of names) insertName(name, id);
        noteChange('certificate', id);
      }),
    deleteCertificate: (id) =>
      batch(() => {
        removeNames(id);
        if (removeCertificate(id) > 0) noteChange('certificate', id);
      }),
    putChallenge: (challenge) => {
      const label = challengeLabel(challenge);
      const body = sealer.seal(Buffer.from(JSON.stringify(challenge)), challengeContext(challenge.type, label));
      batch(() => insertChallenge(challenge.type, label, body, challenge.expiresAt));
    },
    deleteChallenge: (challenge) => batch(() => removeChallenge(challenge.type, challengeLabel(challenge))),
    deleteExpiredChallenges: (now) => batch(() => removeExpired(now)),
    routeIds: () =>
      new Set(
        db
          .prepare('SELECT id FROM route')
          .all()
          .map((row) => row.id as string),
      ),
    certificateVersions: () =>
      new Map(
        db
          .prepare('SELECT id, version FROM certificate')
          .all()
          .map((row) => [row.id as string, row.version as string]),
      ),
    certificateVersion: (id) => (versionOf.get(id) as { version: string } | undefined)?.version,
    mark: (name) => (getMark.get(name) as { value: string } | undefined)?.value,
    setMark: (name, value) => void putMark(name, value),
    dropMark: (name) => void removeMark(name),
    close: () => db.close(),
  };
}
