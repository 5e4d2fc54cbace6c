import type { Step } from './index.ts';

export const openChallenges: Step = async (db, types) => {
  await db.schema
    .createTable('open_challenge')
    .addColumn('type', 'text', (column) => column.notNull())
    .addColumn('label', 'text', (column) => column.notNull())
    .addColumn('replica', 'text', (column) => column.notNull())
    .addColumn('body', types.binary, (column) => column.notNull())
    .addColumn('expires_at', types.integer, (column) => column.notNull())
    .addPrimaryKeyConstraint('open_challenge_key', ['type', 'label'])
    .execute();
  await db.schema
    .createTable('open_challenge_seen')
    .addColumn('type', 'text', (column) => column.notNull())
    .addColumn('label', 'text', (column) => column.notNull())
    .addColumn('replica', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('open_challenge_seen_key', ['type', 'label', 'replica'])
    .execute();
  await db.schema
    .createTable('challenge_replica')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('alive_until', types.integer, (column) => column.notNull())
    .execute();
};
