import type { Step } from './index.ts';

export const apps: Step = async (db, types) => {
  await db.schema
    .createTable('app')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('proof_token', 'text', (column) => column.notNull())
    .addColumn('upstreams', 'text', (column) => column.notNull())
    .addColumn('created_at', types.integer, (column) => column.notNull())
    .addColumn('updated_at', types.integer, (column) => column.notNull())
    .execute();
  await db.schema
    .createTable('domain')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('app_id', 'text', (column) => column.notNull().references('app.id'))
    .addColumn('name', 'text', (column) => column.notNull().unique())
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('routed', 'integer', (column) => column.notNull())
    .addColumn('redirect_to', 'text')
    .addColumn('certificate_id', 'text')
    .addColumn('issuers', 'text')
    .addColumn('challenge', 'text')
    .addColumn('dns_credential_id', 'text')
    .addColumn('proof', 'text')
    .addColumn('proved_at', types.integer)
    .addColumn('lapses_at', types.integer)
    .addColumn('lapsed_at', types.integer)
    .addColumn('dns_state', 'text', (column) => column.notNull())
    .addColumn('dns_report', 'text')
    .addColumn('looked_at', types.integer)
    .addColumn('looks', 'integer', (column) => column.notNull())
    .addColumn('next_look_at', types.integer)
    .addColumn('created_at', types.integer, (column) => column.notNull())
    .addColumn('updated_at', types.integer, (column) => column.notNull())
    .execute();
  await db.schema.createIndex('domain_by_app').on('domain').columns(['app_id', 'name']).execute();
  await db.schema.createIndex('domain_by_certificate').on('domain').column('certificate_id').execute();
  await db.schema.createIndex('domain_by_next_look').on('domain').column('next_look_at').execute();
  await db.schema.createIndex('domain_by_lapse').on('domain').column('lapses_at').execute();
};
