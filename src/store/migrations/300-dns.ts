import type { Step } from './index.ts';

export const dns: Step = async (db, types) => {
  await db.schema
    .createTable('dns_credential')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('name', 'text', (column) => column.notNull().unique())
    .addColumn('provider', 'text', (column) => column.notNull())
    .addColumn('zones', 'text', (column) => column.notNull())
    .addColumn('seen_zones', 'text')
    .addColumn('validation', 'text', (column) => column.notNull())
    .addColumn('validated_at', types.integer)
    .addColumn('validation_detail', 'text')
    .addColumn('created_at', types.integer, (column) => column.notNull())
    .addColumn('updated_at', types.integer, (column) => column.notNull())
    .execute();
  await db.schema
    .createTable('dns_record')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('presentation_id', 'text', (column) => column.notNull())
    .addColumn('owner', 'text', (column) => column.notNull())
    .addColumn('credential_id', 'text', (column) => column.notNull())
    .addColumn('zone', 'text', (column) => column.notNull())
    .addColumn('zone_ref', 'text', (column) => column.notNull())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('asked_name', 'text', (column) => column.notNull())
    .addColumn('value', 'text', (column) => column.notNull())
    .addColumn('provider_ref', 'text')
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('attempts', 'integer', (column) => column.notNull())
    .addColumn('due_at', types.integer, (column) => column.notNull())
    .addColumn('problem', 'text')
    .addColumn('created_at', types.integer, (column) => column.notNull())
    .execute();
  await db.schema.createIndex('dns_record_by_presentation').on('dns_record').column('presentation_id').execute();
  await db.schema.createIndex('dns_record_by_due').on('dns_record').column('due_at').execute();
  await db.schema.createIndex('dns_record_by_name').on('dns_record').columns(['name', 'value']).execute();
};
