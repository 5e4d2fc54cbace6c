import type { Step } from './index.ts';

export const domainLists: Step = async (db) => {
  await db.schema.createIndex('domain_by_dns_state').on('domain').columns(['dns_state', 'name']).execute();
};
