import type { Step } from './index.ts';

export const tokens: Step = async (db, types) => {
  await db.schema
    .createTable('api_token')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('hash', 'text', (column) => column.notNull().unique())
    .addColumn('permissions', 'text', (column) => column.notNull())
    .addColumn('apps', 'text')
    .addColumn('created_by', 'text', (column) => column.notNull())
    .addColumn('created_at', types.integer, (column) => column.notNull())
    .addColumn('expires_at', types.integer)
    .addColumn('last_used_at', types.integer)
    .addColumn('revoked_at', types.integer)
    .execute();
  await db.schema
    .createTable('session')
    .addColumn('hash', 'text', (column) => column.primaryKey())
    .addColumn('token_id', 'text')
    .addColumn('subject', 'text', (column) => column.notNull())
    .addColumn('permissions', 'text', (column) => column.notNull())
    .addColumn('apps', 'text')
    .addColumn('created_at', types.integer, (column) => column.notNull())
    .addColumn('expires_at', types.integer, (column) => column.notNull())
    .execute();
  await db.schema.createIndex('session_by_token').on('session').column('token_id').execute();
  await db.schema.createIndex('session_by_expiry').on('session').column('expires_at').execute();
};
