import type { Step } from './index.ts';

export const foundation: Step = async (db, types) => {
  await db.schema
    .createTable('secret')
    .addColumn('path', 'text', (column) => column.primaryKey())
    .addColumn('envelope', types.binary, (column) => column.notNull())
    .addColumn('updated_at', types.integer, (column) => column.notNull())
    .execute();
  await db.schema
    .createTable('change_log')
    .addColumn('seq', types.serial, types.serialKey)
    .addColumn('at', types.integer, (column) => column.notNull())
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('key', 'text', (column) => column.notNull())
    .execute();
};
