import type { Step } from './index.ts';

export const tokenPersons: Step = async (db) => {
  await db.schema.alterTable('api_token').addColumn('belongs_to', 'text').execute();
  await db.schema.alterTable('api_token').addColumn('maker_persons', 'text').execute();
  await db.schema.alterTable('session').addColumn('persons', 'text').execute();
};
