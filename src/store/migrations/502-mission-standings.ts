import type { Step } from './index.ts';

export const missionStandings: Step = async (db) => {
  await db.schema.alterTable('mission').addColumn('asker', 'text').execute();
  await db.schema.alterTable('mission').addColumn('rejected_by_name', 'text').execute();
  await db.schema.alterTable('mission_approval').addColumn('approver', 'text').execute();
};
