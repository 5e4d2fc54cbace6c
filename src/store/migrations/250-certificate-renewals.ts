import type { Step } from './index.ts';

/** The next renewals in order, for people to see. */
export const certificateRenewals: Step = async (db) => {
  await db.schema.createIndex('certificate_by_renewal').on('certificate').column('renew_at').execute();
};
