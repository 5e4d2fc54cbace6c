import type { Step } from './index.ts';

export const seenFacts: Step = async (db, types) => {
  await db.schema.alterTable('delivery').addColumn('seen_facts', 'text').execute();
  await db.schema.alterTable('delivery').addColumn('seen_since', types.integer).execute();
};
