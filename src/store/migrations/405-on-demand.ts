import type { Step } from './index.ts';

export const onDemand: Step = async (db, types) => {
  await db.schema
    .alterTable('domain')
    .addColumn('on_demand', 'integer', (column) => column.notNull().defaultTo(0))
    .execute();
  await db.schema.alterTable('domain').addColumn('demanded_at', types.integer).execute();
  await db.schema.alterTable('domain').addColumn('demand_problem', 'text').execute();
};
