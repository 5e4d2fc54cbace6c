import type { Step } from './index.ts';

export const delegated: Step = async (db) => {
  await db.schema.alterTable('domain').addColumn('delegated', 'text').execute();
};
