import type { Step } from './index.ts';

export const imports: Step = async (db, types) => {
  await db.schema
    .createTable('domain_import')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('app_id', 'text', (column) => column.notNull())
    .addColumn('actor', 'text', (column) => column.notNull())
    .addColumn('total', 'integer', (column) => column.notNull())
    .addColumn('created_at', types.integer, (column) => column.notNull())
    .addColumn('finished_at', types.integer)
    .execute();
  await db.schema.createIndex('domain_import_by_end').on('domain_import').column('finished_at').execute();
  await db.schema
    .createTable('domain_import_row')
    .addColumn('import_id', 'text', (column) => column.notNull())
    .addColumn('line', 'integer', (column) => column.notNull())
    .addColumn('input', 'text', (column) => column.notNull())
    .addColumn('outcome', 'text')
    .addColumn('detail', 'text')
    .addPrimaryKeyConstraint('domain_import_row_key', ['import_id', 'line'])
    .execute();
  await db.schema
    .createIndex('domain_import_row_by_outcome')
    .on('domain_import_row')
    .columns(['import_id', 'outcome', 'line'])
    .execute();
};

export const webhooks: Step = async (db, types) => {
  await db.schema.alterTable('domain').addColumn('announced', 'text').execute();
  await db.schema
    .createTable('webhook')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('url', 'text', (column) => column.notNull())
    .addColumn('app_id', 'text')
    .addColumn('created_at', types.integer, (column) => column.notNull())
    .addColumn('last_status', 'text')
    .addColumn('last_at', types.integer)
    .execute();
  await db.schema
    .createTable('webhook_delivery')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('webhook_id', 'text', (column) => column.notNull())
    .addColumn('body', 'text', (column) => column.notNull())
    .addColumn('attempts', 'integer', (column) => column.notNull())
    .addColumn('next_at', types.integer)
    .addColumn('created_at', types.integer, (column) => column.notNull())
    .execute();
  await db.schema.createIndex('webhook_delivery_by_next').on('webhook_delivery').column('next_at').execute();
  await db.schema
    .createIndex('webhook_delivery_by_hook')
    .on('webhook_delivery')
    .columns(['webhook_id', 'id'])
    .execute();
};
