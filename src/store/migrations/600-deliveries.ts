import type { Step } from './index.ts';

export const deliveries: Step = async (db, types) => {
  await db.schema
    .createTable('delivery')
    .addColumn('publisher', 'text', (column) => column.notNull())
    .addColumn('item', 'text', (column) => column.notNull())
    .addColumn('delivered', 'text')
    .addColumn('delivered_at', types.integer)
    .addColumn('problem', 'text')
    .addColumn('seen', 'text')
    .addColumn('seen_at', types.integer)
    .addColumn('seen_problem', 'text')
    .addPrimaryKeyConstraint('delivery_key', ['item', 'publisher'])
    .execute();
  await db.schema.createIndex('delivery_by_publisher').on('delivery').columns(['publisher', 'item']).execute();
};
