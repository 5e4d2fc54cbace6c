import { DatabaseSync } from 'node:sqlite';

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS route (id TEXT PRIMARY KEY, host TEXT NOT NULL, body TEXT NOT NULL);
  CREATE INDEX IF NOT EXISTS route_by_host ON route (host);
  CREATE TABLE IF NOT EXISTS certificate (
    id TEXT PRIMARY KEY, version TEXT NOT NULL, names TEXT NOT NULL, chain TEXT NOT NULL, key BLOB NOT NULL,
    not_before INTEGER NOT NULL, not_after INTEGER NOT NULL, staging INTEGER NOT NULL DEFAULT 0);
  CREATE TABLE IF NOT EXISTS certificate_name (
    name TEXT NOT NULL, certificate_id TEXT NOT NULL, PRIMARY KEY (name, certificate_id)) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS certificate_name_by_certificate ON certificate_name (certificate_id);
  CREATE TABLE IF NOT EXISTS challenge (
    type TEXT NOT NULL, label TEXT NOT NULL, body BLOB NOT NULL, expires_at INTEGER NOT NULL,
    PRIMARY KEY (type, label)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS change (seq INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, key TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS mark (name TEXT PRIMARY KEY, value TEXT NOT NULL);
`;

export function openPictureDatabase(path: string, readOnly: boolean): DatabaseSync {
  const database = new DatabaseSync(path, { readOnly, timeout: 5_000 });
  if (!readOnly) {
    // NORMAL: the picture can be derived again from the store, so it need not wait for the disk at each change.
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL');
    database.exec(SCHEMA);
    // A picture that an older release made.
    const columns = database.prepare("SELECT name FROM pragma_table_info('certificate')").all();
    if (!columns.some(({ name }) => name === 'staging'))
      database.exec('ALTER TABLE certificate ADD COLUMN staging INTEGER NOT NULL DEFAULT 0');
  }
  return database;
}

/** Binds a sealed key to its certificate and version. */
export const keyContext = (id: string, version: string) => `picture/certificate/${id}/${version}`;
export const challengeContext = (type: string, label: string) => `picture/challenge/${type}/${label}`;
