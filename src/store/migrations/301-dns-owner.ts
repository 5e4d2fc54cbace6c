import type { Step } from './index.ts';

/** Records that stay are found again by who wants them. */
export const dnsOwner: Step = async (db) => {
  await db.schema.createIndex('dns_record_by_owner').on('dns_record').column('owner').execute();
};
