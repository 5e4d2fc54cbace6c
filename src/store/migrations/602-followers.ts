import type { Step } from './index.ts';

export const followers: Step = async (db, types) => {
  await db.schema
    .createTable('change_follower')
    .addColumn('name', 'text', (column) => column.primaryKey())
    .addColumn('seq', types.integer, (column) => column.notNull())
    .execute();
};
