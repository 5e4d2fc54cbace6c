import type { ChangeTables } from './changes.ts';
import type { SecretTables } from './secrets.ts';

// Conventions, so that SQLite and PostgreSQL are one schema: times are integers, milliseconds since the Unix epoch;
// booleans are 0 or 1; structures are JSON text; binary is a blob. Each aggregate's file declares its own tables.
export interface Schema extends ChangeTables, SecretTables {}
