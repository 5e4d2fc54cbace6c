// store owns durable state: the schema, its migrations, and one file of queries per aggregate, on SQLite or PostgreSQL.
// It decides nothing: rules live in the engines. It refuses to know HTTP, ACME messages and processes.
export { type AuditEvent, type AuditOutcome, appendAudit } from './audit.ts';
export {
  type Change,
  type ChangeKind,
  changesSince,
  followedUntil,
  latestChange,
  noteFollowed,
  recordChange,
} from './changes.ts';
export { type ChangeFollower, followChanges } from './follow-changes.ts';
export { openMemoryStore, openStore, openUnsyncedStore, type StoreOptions } from './open.ts';
export type { Db, Store } from './store.ts';
